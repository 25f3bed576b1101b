/** A responder that dies by kill -9 at a named point of one of its pipelines. Arguments: bus directory, key file, pid it may kill, pipeline, point. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEmbeddedBus } from '@ringfence/bus';
import { importSigningKey } from '@ringfence/schema';
import { EVIDENCE_WALL_OFFSET } from '@ringfence/testkit';
import { loadPolicyFiles, startResponder } from '../src/index.ts';
import { silent, TestAgent } from './support.ts';

const [dir, keyFile, pid, pipeline, point] = process.argv.slice(2) as [string, string, string, string, string];
const key = importSigningKey(readFileSync(keyFile, 'utf8'));
const bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
await startResponder({
  options: {},
  bus,
  key,
  policies: loadPolicyFiles(['builtin']).policies,
  control: new TestAgent(key, dir, [Number(pid)]),
  log: silent,
  now: () => EVIDENCE_WALL_OFFSET,
  failpoint: (of, name) => {
    if (of === pipeline && name === point) process.kill(process.pid, 'SIGKILL');
  },
});
