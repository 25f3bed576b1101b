import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CliError } from '../src/errors.ts';
import { openOutput } from '../src/output-file.ts';
import { Output } from '../src/trace/output.ts';

test('a file to be written is its owner’s alone and begins empty; one that can’t be is told at once, by its path', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-output-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'a');
  closeSync(openOutput(path));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, 'before');
  closeSync(openOutput(path));
  assert.equal(readFileSync(path, 'utf8'), '');
  const nowhere = join(dir, 'none/a');
  for (const attempt of [() => openOutput(nowhere), () => new Output(nowhere, process.stdout)])
    assert.throws(attempt, (error) => error instanceof CliError && error.message.includes(`can't write ${nowhere}`));
});
