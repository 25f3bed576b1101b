/**
 * Tests which problems doctor reports on a machine with missing prerequisites, and that the commands it suggests fix
 * them.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { GuestDoctor, Verdict } from '../lib/doctor-in-guest.ts';
import { findKernel } from '../lib/find-kernels.ts';
import { runScript } from '../lib/run-kernel.ts';
import { writeProgram } from '../lib/tree.ts';

const TIMEOUT_MS = 1_200_000;
const COMMANDS = [
  'mount -t bpf bpf /sys/fs/bpf',
  'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  'mount -t tracefs tracefs /sys/kernel/tracing',
  'sysctl -w kernel.ftrace_enabled=1',
  'sysctl -w kernel.kptr_restrict=1',
];
const kernel = await findKernel();

async function ask<T>(mode: 'mend' | 'look', kernelArguments: string): Promise<T> {
  if (typeof kernel === 'string') return assert.fail(kernel);
  const run = { kernel, write: writeProgram, kernelArguments, timeoutMs: TIMEOUT_MS };
  const { lines } = await runScript({ ...run, script: 'test/kernels/lib/doctor-in-guest.ts', args: [mode] });
  return lines[0] as T;
}

const names = ({ red }: Verdict): string[] => red.map(({ name }) => name);

describe('doctor on a machine with missing prerequisites', {
  skip: typeof kernel === 'string' ? kernel : false,
}, () => {
  let result: GuestDoctor;
  before(async () => {
    result = await ask('mend', 'lockdown=integrity');
  });

  test('an unprivileged user learns which privileges are missing', () => {
    const lacking = names(result.unprivileged);
    for (const name of ['privilege CAP_BPF', 'privilege CAP_PERFMON', 'privilege CAP_NET_ADMIN', 'state directory'])
      assert.ok(lacking.includes(name), name);
    for (const { fix } of result.unprivileged.red) assert.match(fix, /^run as root/);
    assert.equal(result.unprivileged.exitCode, 1);
  });

  test('missing mounts, the function tracer and hidden addresses are red, each with a command', () => {
    const { before } = result;
    for (const name of ['BPF file system', 'tracefs', 'cgroup v2', 'kernel addresses', 'file_open'])
      assert.ok(names(before).includes(name), name);
    assert.deepEqual([...new Set(before.red.map(({ fix }) => fix))].sort(), COMMANDS);
    assert.equal(before.exitCode, 1);
    assert.deepEqual(before.full.active, []);
  });

  test('the commands fix every problem', () => {
    for (const { command, exitCode, output } of result.commands) assert.equal(exitCode, 0, `${command}: ${output}`);
    assert.deepEqual([result.after.red, result.after.exitCode], [[], 0]);
    assert.ok(result.after.full.active.includes('lsm/file_open'));
  });

  test('lockdown=confidentiality is red, and a reboot without it fixes that', async () => {
    const { red, exitCode } = await ask<Verdict>('look', 'lockdown=confidentiality');
    const fix = red.find(({ name }) => name === 'kernel lockdown')?.fix ?? '';
    const argument = /^remove (\S+) from the kernel command line/.exec(fix)?.[1];
    assert.deepEqual([argument, exitCode], ['lockdown=confidentiality', 1]);
  });
});
