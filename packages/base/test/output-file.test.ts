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
import { OperatorError } from '../src/errors.ts';
import { makeFolder, openOutput, writeOutput } from '../src/output-file.ts';

test('an output file starts empty and only its owner can read it', (t) => {
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
});

test('a process that has a readable file open reads nothing of the secret that replaces it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'key.pem');
  writeFileSync(path, '', { mode: 0o644 });
  const spy = openSync(path, 'r');
  t.after(() => closeSync(spy));
  writeOutput(path, 'a key');
  assert.deepEqual([readFileSync(path, 'utf8'), readFileSync(spy, 'utf8')], ['a key', '']);
});

test('an output file that cannot be opened is an operator error with its path', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'missing/a');
  assert.throws(
    () => openOutput(path),
    (error) => error instanceof OperatorError && error.message.includes(`can't write ${path}`),
  );
});

test('a pipe that is written to keeps its mode', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const pipe = join(dir, 'pipe');
  assert.equal(spawnSync('mkfifo', ['-m', '666', pipe]).status, 0);
  const reader = openSync(pipe, 'r+');
  t.after(() => closeSync(reader));
  closeSync(openOutput(pipe));
  assert.equal(statSync(pipe).mode & 0o777, 0o666);
});

test('a folder is made with its missing parents; an existing folder does not change', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'a/b');
  makeFolder(path, 0o700);
  makeFolder(path, 0o700);
  assert.deepEqual([statSync(dirname(path)).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o700]);
});

test('a folder that cannot be made is an operator error, also below /proc', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'file');
  writeFileSync(file, '');
  for (const [parent, child] of [
    ['/proc/missing', 'x'],
    [file, 'x/y'],
  ] as const)
    assert.throws(
      () => makeFolder(join(parent, child)),
      (error) => error instanceof OperatorError && error.message.startsWith(`can't create ${parent}`),
    );
  assert.equal(existsSync('/proc/missing'), false);
});
