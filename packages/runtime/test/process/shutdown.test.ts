import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** More than the buffer of a pipe or a socket. */
const BYTES = 4 << 20;

test('a process exits after all of its output was read, even by a slow reader', async () => {
  const program = join(import.meta.dirname, 'exit-child.ts');
  const child = spawn(process.execPath, ['--conditions=@ringfence/source', program, String(BYTES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  await sleep(500);
  let read = 0;
  for await (const part of child.stdout) read += (part as Buffer).length;
  assert.equal(read, BYTES);
  assert.deepEqual(await ended, [3, null]);
});

test('a process exits when the reader of its output has gone', async () => {
  const program = join(import.meta.dirname, 'exit-child.ts');
  const child = spawn(process.execPath, ['--conditions=@ringfence/source', program, String(BYTES)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  await once(child, 'close');
});
