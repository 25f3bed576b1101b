import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kernelCommand, newerKernelCommand, osReleaseOf } from '@ringfence/runtime/host';

const TYPES = '/sys/kernel/btf';
const MAIN = join(import.meta.dirname, '../src/main.ts');
const WITHOUT_TYPES = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs tmpfs ${TYPES} && exec "$@"`, 'sh'];
const AS_OLD = ['setarch', '--uname-2.6'];

const [unshare = '', ...rest] = WITHOUT_TYPES;
const possible = existsSync(TYPES) && spawnSync(unshare, [...rest, ...AS_OLD, 'true']).status === 0;

test('a kernel that says it is an old one, and hides its types, is red for both, with the command for another; no hook is tried', {
  skip: possible ? false : 'the types of this kernel cannot be hidden here: it has none, or this is not root',
}, (t) => {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-doctor-'));
  t.after(() => rmSync(state, { recursive: true }));
  const node = [process.execPath, '--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', MAIN];
  const asked = [...rest, ...AS_OLD, ...node, 'doctor', '--json', '--state-dir', state];
  const { status, stdout, stderr } = spawnSync(unshare, asked, { encoding: 'utf8' });
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
