import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { afterEach, test } from 'node:test';
import { type Log, silentLog } from '@ringfence/base';
import { raisePriority } from '../src/host/raise-priority.ts';

const skip = process.geteuid?.() === 0 ? false : 'raising a priority needs root';
const UNPRIVILEGED = 65534;
/** Field of /proc/PID/stat after the name */
const NICE = 16;

const prioritiesOfThreads = (): Set<number> =>
  new Set(
    readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[NICE]);
    }),
  );

afterEach(() => {
  for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), 0);
});

test('all threads of the process get the priority', { skip }, () => {
  raisePriority(-1, silentLog);
  assert.deepEqual(prioritiesOfThreads(), new Set([-1]));
});

test('a higher priority is kept', { skip }, () => {
  raisePriority(-2, silentLog);
  raisePriority(-1, silentLog);
  assert.equal(getPriority(), -2);
});

test('a process that may not raise its priority keeps it, and says so', { skip }, () => {
  const lines: string[] = [];
  const log: Log = { ...silentLog, info: (_: object, message: string) => lines.push(message) };
  process.seteuid?.(UNPRIVILEGED);
  try {
    raisePriority(-1, log);
  } finally {
    process.seteuid?.(0);
  }
  assert.equal(getPriority(), 0);
  assert.match(lines.join(), /keeps its priority.*CAP_SYS_NICE/);
});
