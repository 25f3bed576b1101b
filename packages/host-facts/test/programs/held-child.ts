/** Exits with 7 while the hash thread reads a file whose file system does not answer: `held-child.ts FILE`. */
import { readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { kernelDevice } from '@ringfence/host-kit';
import { HashThread } from '../../src/hash/hash-thread.ts';

const file = process.argv[2] ?? '';
const pid = Number(/\d+/.exec(file)?.[0]);
const { ino, ctimeNs } = statSync(file, { bigint: true });
const { dev } = statSync(dirname(file), { bigint: true });
const limits = { maxBytes: 1 << 20, bytesPerSecond: 1 << 20 };
let answered = false;
const thread = new HashThread({
  ...{ limits, isHost: false, log: silentLog, callMaxMs: 100 },
  onAnswer: () => {
    answered = true;
  },
});
thread.post({
  ...{ id: 1, pid, parentPid: pid, device: kernelDevice(dev), inode: ino, ctime: ctimeNs, mtime: 0n },
  mountNamespace: Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/mnt`))?.[0]),
  path: Buffer.from(file.slice(`/proc/${pid}/root`.length)),
  ...{ memory: false, lowPriority: false },
});
while (!answered) await sleep(10);
if (thread.stuckCalls === 1) process.stdout.write('reading\n');
process.exit(7);
