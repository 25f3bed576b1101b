import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ActionRefusedError } from '../../src/errors.ts';
import { revertKind } from '../../src/persistence/revert.ts';
import { snapshot } from '../files/file-systems.ts';
import { RunKind } from '../files/run-kind.ts';
import { accountHost, FILES } from './account-host.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root: it changes owners';
const CHILD = join(import.meta.dirname, '../persistence/edit-child.ts');

describe('revert of an added account', { skip }, () => {
  it('takes it out of every file and group, and puts it back byte for byte', async () => {
    using host = accountHost();
    const all = (): object[] => FILES.map((name) => snapshot(host.at(`/etc/${name}`)));
    const before = all();
    const revert = new RunKind(revertKind({ vault: host.vault, hostRoot: host.root, systemctl: null }));
    await revert.run({ what: 'user', name: 'eve', how: 'remove' });
    for (const name of FILES) assert.equal(host.read(`/etc/${name}`).includes('eve'), false, name);
    assert.match(host.read('/etc/group'), /^sudo:x:27:bob,ann$/m);
    assert.match(host.read('/etc/gshadow'), /^sudo:\*::bob,ann$/m);
    assert.equal((await revert.undo()).facts['restored'], 'as before');
    assert.deepEqual(all(), before);
  });

  for (const point of ['written', 'exchanged', 'edited'])
    it(`is taken back whole after a kill between its files, at '${point}'`, async () => {
      using host = accountHost();
      const all = (): object[] => FILES.map((name) => snapshot(host.at(`/etc/${name}`)));
      const before = all();
      const order = { what: 'user', name: 'eve', how: 'remove' };
      const revert = new RunKind(revertKind({ vault: host.vault, hostRoot: host.root, systemctl: null }));
      const { inverse } = await revert.plan(order);
      const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', CHILD];
      const child = spawnSync(process.execPath, [...args, host.root, point, 'apply', JSON.stringify(order)]);
      assert.equal(child.signal, 'SIGKILL', String(child.stderr));
      assert.equal((await revert.undo(JSON.stringify(inverse))).facts['restored'], 'as before');
      assert.deepEqual(all(), before);
    });

  it('keeps a group of the same name that others have', async () => {
    using host = accountHost();
    host.write('/etc/group', 'eve:x:1001:ann,eve\n');
    const revert = new RunKind(revertKind({ vault: host.vault, hostRoot: host.root, systemctl: null }));
    await revert.run({ what: 'user', name: 'eve', how: 'remove' });
    assert.equal(host.read('/etc/group'), 'eve:x:1001:ann\n');
    host.write('/etc/group', 'eve:x:1001:ann,tom\n');
    await revert.undo();
    assert.equal(host.read('/etc/group'), 'eve:x:1001:ann,eve,tom\n');
  });

  it('locks it where that is ordered, and never touches root or accounts that must stay', async () => {
    using host = accountHost();
    const options = { vault: host.vault, hostRoot: host.root, systemctl: null, neverLock: ['bob'] };
    const revert = new RunKind(revertKind(options));
    for (const name of ['root', 'bob'])
      await assert.rejects(
        revert.plan({ what: 'user', name }),
        (error: ActionRefusedError) => error.reason === 'protected',
      );
    await revert.run({ what: 'user', name: 'eve' });
    assert.match(host.read('/etc/shadow'), /^eve:!\$/m);
  });
});
