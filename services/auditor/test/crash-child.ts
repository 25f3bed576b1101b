/** An auditor that dies by kill -9 at the n-th passing of a named point. Arguments: directory, point, n. */
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { startAuditor } from '../src/index.ts';

const [dir, point, passing] = process.argv.slice(2) as [string, string, string];
let left = Number(passing);
await startAuditor({
  // Several batches, so that there is a second passing.
  options: { path: join(dir, 'audit.db'), batchRecords: 64 },
  bus: await openEmbeddedBus({ path: join(dir, 'bus.db') }),
  log: silentLog,
  failpoint: (name) => {
    if (name === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
