import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kernelCommand, newerKernelCommand, osReleaseOf } from '@ringfence/runtime/host';
import { RINGFENCE } from './support.ts';

const TYPES = '/sys/kernel/btf';
const [unshare, ...hideTypes] = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs tmpfs ${TYPES} && exec "$@"`, 'sh'];
/** Runs a command with a kernel release of 2.6. */
const OLD_RELEASE = ['setarch', '--uname-2.6'];

const canHide = existsSync(TYPES) && spawnSync(unshare!, [...hideTypes, ...OLD_RELEASE, 'true']).status === 0;

test('doctor fails an old kernel and a kernel without BTF with a command that fixes it, and then tries no hook', {
  skip: canHide ? false : 'the BTF of this kernel cannot be hidden: there is none, or this user is not root',
}, (t) => {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-doctor-'));
  t.after(() => rmSync(state, { recursive: true }));
  const args = [...hideTypes, ...OLD_RELEASE, ...RINGFENCE, 'doctor', '--json', '--state-dir', state];
  const { status, stdout, stderr } = spawnSync(unshare!, args, { encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  const { machine, hooks } = JSON.parse(stdout) as { machine: { name: string; ok: boolean; fix: string }[]; hooks: [] };
  const commands = { kernel: newerKernelCommand, 'kernel types (BTF)': kernelCommand };
  for (const [name, command] of Object.entries(commands))
    assert.deepEqual(
      machine.filter((check) => check.name === name).map(({ ok, fix }) => [ok, fix]),
      [[false, command(osReleaseOf('/'))]],
    );
  assert.deepEqual(hooks, []);
});
