/** An auditor that kills itself when it passes a failpoint for the n-th time. Arguments: directory, failpoint, n. */
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { startAuditor } from '../src/index.ts';

const [dir, point, passes] = process.argv.slice(2) as [string, string, string];
let remainingPasses = Number(passes);
await startAuditor({
  // Small batches, so that each failpoint is passed more than once.
  options: { path: join(dir, 'audit.db'), batchRecords: 64 },
  bus: await openEmbeddedBus({ path: join(dir, 'bus.db') }),
  log: silentLog,
  failpoint: (name) => {
    if (name === point && --remainingPasses === 0) process.kill(process.pid, 'SIGKILL');
  },
});
