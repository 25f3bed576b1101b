/**
 * Checks the integrity of kernel and host once, in a process of its own, because the rings could overflow meanwhile.
 */
import { checkIntegrity, type IntegrityOptions } from './integrity.ts';

process.once('message', (options: IntegrityOptions) => {
  process.send?.(checkIntegrity(options), () => process.disconnect());
});
// The agent has ended.
process.once('disconnect', () => process.exit());
