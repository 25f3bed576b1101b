import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { quarantineKind } from '../../src/files/quarantine.ts';
import { addName, type FileSystemKind, makeFile, orderFor, snapshot, TestFiles } from './file-systems.ts';
import { RunKind } from './run-kind.ts';

const skip = process.geteuid?.() === 0 ? false : 'needs root: it mounts file systems and changes owners';
const CHILD = join(import.meta.dirname, 'crash-child.ts');

function crash(vault: string, point: string, what: 'take' | 'undo', text: string): void {
  const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', CHILD];
  const { signal, stderr } = spawnSync(process.execPath, [...args, vault, point, what, text], { encoding: 'utf8' });
  assert.equal(signal, 'SIGKILL', stderr);
}

describe('a quarantine that is killed in between', { skip }, () => {
  for (const system of ['same', 'tmpfs', 'ext4'] satisfies FileSystemKind[])
    for (const point of ['begun', 'copied', 'denied', 'moved', 'sealed'])
      it(`is taken back whole after a kill at '${point}': ${system}`, async () => {
        using files = new TestFiles();
        const directory = files.make(system);
        const [path, link] = [join(directory, 'a'), join(directory, 'b')];
        makeFile(path);
        addName(path, link);
        const before = snapshot(path);
        const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
        const order = orderFor(path);
        const { inverse } = await quarantine.plan(order);
        crash(files.vault, point, 'take', JSON.stringify(order));
        assert.equal((await quarantine.undo(JSON.stringify(inverse))).outcome, 'executed');
        for (const name of [path, link]) assert.deepEqual(snapshot(name), before);
        assert.equal(statSync(path).ino, statSync(link).ino);
        assert.deepEqual(
          readdirSync(directory).filter((name) => name.startsWith('.ringfence')),
          [],
        );
        assert.deepEqual(readdirSync(files.vault), []);
      });

  for (const system of ['same', 'tmpfs'] satisfies FileSystemKind[])
    for (const point of ['released', 'moved', 'returned', 'restored'])
      it(`is given back whole after a kill of the undo at '${point}': ${system}`, async () => {
        using files = new TestFiles();
        const directory = files.make(system);
        const [path, link] = [join(directory, 'a'), join(directory, 'b')];
        makeFile(path);
        addName(path, link);
        const before = snapshot(path);
        const quarantine = new RunKind(quarantineKind({ vault: files.vault }));
        const { inverse } = await quarantine.plan(orderFor(path));
        await quarantine.run(orderFor(path));
        assert.equal(existsSync(path), false);
        crash(files.vault, point, 'undo', JSON.stringify(inverse));
        assert.equal((await quarantine.undo()).outcome, 'executed');
        for (const name of [path, link]) assert.deepEqual(snapshot(name), before);
        assert.equal(statSync(path).ino, statSync(link).ino);
        assert.deepEqual(readdirSync(files.vault), []);
      });
});
