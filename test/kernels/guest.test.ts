/** Tests the virtual machine in which other kernels run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInGuest } from '@ringfence/testkit/kernels';
import { findKernel } from './lib/find-kernels.ts';

const kernel = await findKernel();

/** Returns the number of emulators that this process has started and that still run. */
const machines = (): number =>
  execFileSync('ps', ['--ppid', String(process.pid), '-o', 'comm='], { encoding: 'utf8' }).split('qemu-system').length -
  1;

describe('a guest', { skip: typeof kernel === 'string' ? kernel : false }, () => {
  const program = mkdtempSync(join(tmpdir(), 'ringfence-guest-test-'));
  after(() => rmSync(program, { recursive: true }));

  async function run(
    command: string,
    timeoutMs: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ exitCode: number; lines: string[]; console: string }> {
    if (typeof kernel === 'string') return assert.fail(kernel);
    const lines: string[] = [];
    const result = await runInGuest({
      ...{ kernel, program, command, timeoutMs, signal },
      onLine: (line) => lines.push(line),
    });
    return { ...result, lines };
  }

  test('runs a command beside its files, and returns its output, its errors and its exit code', async () => {
    if (typeof kernel === 'string') return;
    writeFileSync(join(program, 'text'), 'of the host\n');
    const { exitCode, lines, console } = await run('cat text; uname -r; echo to the console >&2; exit 7', 300_000);
    assert.deepEqual({ exitCode, lines }, { exitCode: 7, lines: ['of the host', kernel.release] });
    assert.match(console, /to the console/);
  });

  test('is stopped at the deadline, with an error that says so', async () => {
    await assert.rejects(run('sleep 1000', 500), { code: 'ERR_TESTKIT_GUEST', message: /stopped after 0.5 s/ });
  });

  test('is stopped when its signal aborts', async () => {
    const expected = { code: 'ERR_TESTKIT_GUEST', message: /stopped by its caller/ };
    const wanted = new AbortController();
    const rejected = assert.rejects(run('sleep 1000', 300_000, wanted.signal), expected);
    while (machines() === 0) await sleep(50);
    wanted.abort();
    await rejected;
    assert.equal(machines(), 0);
    await assert.rejects(run('sleep 1000', 300_000, wanted.signal), { name: 'AbortError' });
  });
});
