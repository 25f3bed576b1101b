/**
 * An auditor on an embedded bus and a cluster that kills itself at a failpoint, or is killed by its parent. Arguments:
 * directory, URL, prefix, failpoint.
 */
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { startAuditor } from '../../src/index.ts';

const [dir, url, prefix, point] = process.argv.slice(2) as [string, string, string, string];
const auditor = await startAuditor({
  options: {
    path: '/unused',
    sink: 'elasticsearch',
    elasticsearch: { nodes: [url], prefix, eventSample: 0, requestTimeoutMs: 10_000 },
    headRecords: 20,
  },
  bus: await openEmbeddedBus({ path: join(dir, 'bus.db') }),
  log: silentLog,
  failpoint: (name) => {
    if (name === point) process.kill(process.pid, 'SIGKILL');
  },
});
process.send?.('started');
await auditor.done;
