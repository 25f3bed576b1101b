import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { Output } from '@ringfence/syscall-trace';
import { OperatorError } from '../src/operator-error.ts';
import { makeFolder, openOutput, writeOutput } from '../src/output-file.ts';

test('a file to be written is its owner’s alone and begins empty; one that can’t be is told at once, by its path', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'a');
  closeSync(openOutput(path));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, 'before');
  chmodSync(path, 0o664);
  writeOutput(path, 'now');
  assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['now', 0o600]);
  closeSync(openOutput(path));
  assert.equal(readFileSync(path, 'utf8'), '');
  const nowhere = join(dir, 'none/a');
  for (const attempt of [() => openOutput(nowhere), () => new Output(nowhere, process.stdout)])
    assert.throws(
      attempt,
      (error) => error instanceof OperatorError && error.message.includes(`can't write ${nowhere}`),
    );
});

test('what is no file is written as it is, and stays everybody’s', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const pipe = join(dir, 'pipe');
  assert.equal(spawnSync('mkfifo', ['-m', '666', pipe]).status, 0);
  const reader = openSync(pipe, 'r+');
  t.after(() => closeSync(reader));
  closeSync(openOutput(pipe));
  assert.equal(statSync(pipe).mode & 0o777, 0o666);
});

test('a folder is made with those above it; one that can’t be is told at once, also in /proc', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'a/b');
  for (const _ of ['made', 'there']) makeFolder(path, 0o700);
  assert.deepEqual([statSync(dirname(path)).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o700]);
  writeFileSync(join(path, 'file'), '');
  for (const [above, below] of [
    ['/proc/none', 'x'],
    [join(path, 'file'), 'x/y'],
  ] as const)
    assert.throws(
      () => makeFolder(join(above, below)),
      (error) => {
        return error instanceof OperatorError && error.message.startsWith(`can't make ${above}`);
      },
    );
  assert.equal(existsSync('/proc/none'), false);
});
