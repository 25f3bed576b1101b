/** What doctor is red about on a machine that lacks the thing, and that the very command that it names mends it. */
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

describe('doctor on a machine that lacks something', { skip: typeof kernel === 'string' ? kernel : false }, () => {
  let told: GuestDoctor;
  before(async () => {
    told = await ask('mend', 'lockdown=integrity');
  });

  test('nobody is told which privileges are missing, root that none is', () => {
    const lacking = names(told.unprivileged);
    for (const name of ['privilege CAP_BPF', 'privilege CAP_PERFMON', 'privilege CAP_NET_ADMIN', 'state directory'])
      assert.ok(lacking.includes(name), name);
    for (const { fix } of told.unprivileged.red) assert.match(fix, /^run as root/);
    assert.equal(told.unprivileged.exitCode, 1);
  });

  test('what is not mounted, the function tracer and hidden addresses are red, each with its command', () => {
    const { before } = told;
    for (const name of ['BPF file system', 'tracefs', 'cgroup v2', 'kernel addresses', 'file_open'])
      assert.ok(names(before).includes(name), name);
    assert.deepEqual([...new Set(before.red.map(({ fix }) => fix))].sort(), COMMANDS);
    assert.equal(before.exitCode, 1);
    assert.deepEqual(before.full.active, []);
  });

  test('each command does what it says, and nothing is red any more', () => {
    for (const { command, exitCode, said } of told.commands) assert.equal(exitCode, 0, `${command}: ${said}`);
    assert.deepEqual([told.after.red, told.after.exitCode], [[], 0]);
    assert.ok(told.after.full.active.includes('lsm/file_open'));
  });

  test('lockdown=confidentiality is red, and a reboot without it, as above, mends it', async () => {
    const { red, exitCode } = await ask<Verdict>('look', 'lockdown=confidentiality');
    const fix = red.find(({ name }) => name === 'kernel lockdown')?.fix ?? '';
    const argument = /^remove (\S+) from the kernel command line/.exec(fix)?.[1];
    assert.deepEqual([argument, exitCode], ['lockdown=confidentiality', 1]);
  });
});
