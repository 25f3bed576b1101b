/**
 * A reader that kills itself when it passes POINT for the Nth time: STATE_DIR LOG BUS POINT N. With point `none` it
 * ends when its input ends.
 */

import { silentLog } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { importSigningKey, topicsWith } from '@ringfence/wire';
import { LogReader } from '../src/log-reader.ts';

const [stateDir = '', log = '', busPath = '', point = '', count = '1', key = ''] = process.argv.slice(2);
const bus = await openEmbeddedBus({ path: busPath });
await bus.ensureTopics(topicsWith(1));
let left = Number(count);
const reader = new LogReader({
  options: { files: [log], journald: 'off', linesPerSecond: 1_000_000, pollMs: 1 },
  stateDir,
  bus,
  identity: {
    hostId: '6e8f2a51-0000-4000-8000-000000000001',
    bootId: '6e8f2a51-0000-4000-8000-000000000002',
    key: importSigningKey(Buffer.from(key, 'base64').toString()),
    agentVersion: '0.0.0',
  },
  log: silentLog,
  failpoint(reached) {
    if (reached === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write('ready\n');
process.stdin.resume();
await new Promise((resolve) => process.stdin.on('end', resolve));
await reader.close();
await bus.close();
