import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { TraceOutput } from '../src/output.ts';

test('a trace file that cannot be opened is an operator error with its path', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rf-trace-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'missing/a');
  assert.throws(
    () => new TraceOutput(path, process.stdout),
    (error) => error instanceof OperatorError && error.message.includes(`can't write ${path}`),
  );
});
