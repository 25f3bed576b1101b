import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { quarantineKind } from '../../src/files/quarantine.ts';
import { addName, type FileSystemKind, makeFile, orderFor, snapshot, TestFiles } from './file-systems.ts';
import { RunKind } from './run-kind.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root: it mounts file systems and changes owners';

describe('quarantine', { skip }, () => {
  for (const system of ['same', 'tmpfs', 'ext4', 'overlay'] satisfies FileSystemKind[])
    it(`takes a file, and gives it back with all that it had: ${system}`, async () => {
      using files = new TestFiles();
      const path = join(files.make(system), 'program');
      if (system !== 'overlay') makeFile(path);
      const before = snapshot(path);
      const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
      const { outcome, facts } = await quarantine.run(orderFor(path));
      assert.equal(outcome, 'executed');
      assert.equal(existsSync(path), false);
      const folder = facts['vault'] ?? '';
      assert.equal(statSync(folder).mode & 0o777, 0o700);
      assert.equal(statSync(join(folder, facts['sha256'] ?? '')).mode & 0o777, 0o600);
      assert.deepEqual((await quarantine.undo()).outcome, 'executed');
      assert.deepEqual(snapshot(path), before);
      assert.deepEqual(readdirSync(files.vault), []);
      assert.equal((await quarantine.undo()).outcome, 'executed');
      assert.deepEqual(snapshot(path), before);
    });

  for (const system of ['same', 'tmpfs', 'ext4'] satisfies FileSystemKind[])
    it(`takes the names that it finds, denies the others, and gives all back: ${system}`, async () => {
      using files = new TestFiles();
      const directory = files.make(system);
      const at = (name: string): string => join(directory, name);
      const [path, neighbour, far, unknown] = [at('a'), at('b'), at('far/c'), at('hidden/d')];
      for (const sub of ['far', 'hidden']) files.folder(join(directory, sub));
      makeFile(path);
      for (const name of [neighbour, far, unknown]) addName(path, name);
      const before = snapshot(path);
      const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
      const order = orderFor(path, { links: JSON.stringify([far]) });
      const plan = await quarantine.plan(order);
      assert.deepEqual([plan.targets.length, plan.spared.length, plan.radius['names']], [3, 1, 3]);
      const { facts } = await quarantine.run(order);
      assert.equal(facts['namesLeft'], '1');
      assert.deepEqual(
        [path, neighbour, far].map((name) => existsSync(name)),
        [false, false, false],
      );
      assert.equal(statSync(unknown).mode & 0o7777, 0);
      if (facts['frozen'] === 'true') assert.throws(() => writeFileSync(unknown, 'x'), { code: 'EPERM' });
      await quarantine.undo();
      for (const name of [path, neighbour, far, unknown]) assert.deepEqual(snapshot(name), before);
      assert.equal(new Set([path, neighbour, far, unknown].map((name) => statSync(name).ino)).size, 1);
    });

  it('gives nothing back over another file, and says so of an identical one', async () => {
    using files = new TestFiles();
    const path = join(files.make('tmpfs'), 'program');
    makeFile(path, 'old');
    const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
    await quarantine.run(orderFor(path));
    writeFileSync(path, 'new');
    const refused = await quarantine.undo();
    assert.equal(refused.outcome, 'failed');
    assert.match(refused.reason, /another file stands at .*program now; its content is /);
    assert.equal(readFileSync(path, 'utf8'), 'new');
    writeFileSync(path, 'old');
    assert.equal((await quarantine.undo()).facts['restored'], 'identical file that stood there');
    unlinkSync(path);
    assert.equal((await quarantine.undo()).facts['restored'], 'untouched');
    assert.equal(existsSync(path), false);
  });
});
