/**
 * A responder with a playbook that kills itself with SIGKILL at a named point of its n-th batch. Arguments: directory,
 * key file, pid that its agent may act on, point, n.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { localControlPlane } from '@ringfence/control/local';
import { openCoordination } from '@ringfence/coordination';
import { importSigningKey } from '@ringfence/wire';
import { startResponder } from '../../src/index.ts';
import { CRASH_STEPS, playbookOf, SteppingAgent } from './support.ts';

const [dir, keyFile, pid, point, batch] = process.argv.slice(2) as [string, string, string, string, string];
const key = importSigningKey(readFileSync(keyFile, 'utf8'));
const bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
let passed = 0;
await startResponder({
  options: {},
  bus,
  key,
  policies: [],
  playbooks: [playbookOf(CRASH_STEPS)],
  control: localControlPlane(new SteppingAgent(key, dir, Number(pid))),
  coordination: await openCoordination({ path: join(dir, 'coordination.db') }),
  log: silentLog,
  failpoint: (name) => {
    if (name === point && ++passed === Number(batch)) process.kill(process.pid, 'SIGKILL');
  },
});
