/** The machine that other kernels run in. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { runInGuest } from '@ringfence/testkit';
import { findKernel } from './lib/find-kernels.ts';

const kernel = await findKernel();

describe('a guest', { skip: typeof kernel === 'string' ? kernel : false }, () => {
  const program = mkdtempSync(join(tmpdir(), 'ringfence-guest-test-'));
  after(() => rmSync(program, { recursive: true }));

  async function run(
    command: string,
    timeoutMs: number,
  ): Promise<{ exitCode: number; lines: string[]; console: string }> {
    if (typeof kernel === 'string') return assert.fail(kernel);
    const lines: string[] = [];
    const result = await runInGuest({ kernel, program, command, timeoutMs, onLine: (line) => lines.push(line) });
    return { ...result, lines };
  }

  test('runs a command beside its files, and tells its lines, its errors and how it ended', async () => {
    if (typeof kernel === 'string') return;
    writeFileSync(join(program, 'text'), 'of the host\n');
    const { exitCode, lines, console } = await run('cat text; uname -r; echo to the console >&2; exit 7', 300_000);
    assert.deepEqual({ exitCode, lines }, { exitCode: 7, lines: ['of the host', kernel.release] });
    assert.match(console, /to the console/);
  });

  test('is ended when it takes too long, and says so', async () => {
    await assert.rejects(run('sleep 1000', 500), { code: 'ERR_TESTKIT_GUEST', message: /ended after 0.5 s/ });
  });
});
