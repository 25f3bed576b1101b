/** One look at the integrity of kernel and host, told to the process that asked: it takes longer than rings should wait. */
import { checkIntegrity, type IntegrityOptions } from './integrity.ts';

process.once('message', (options: IntegrityOptions) => {
  process.send?.(checkIntegrity(options), () => process.disconnect());
});
// Whoever asked is gone.
process.once('disconnect', () => process.exit());
