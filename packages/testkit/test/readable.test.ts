import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readable } from '../src/index.ts';
import { closedFolder, readableTree } from '../src/readable.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root, to become another user';

describe('a checkout in a folder that is closed to other users', { skip }, () => {
  const closed = mkdtempSync(join(tmpdir(), 'rf-closed-'));
  const root = join(closed, 'checkout');
  after(() => rmSync(closed, { recursive: true }));
  before(() => {
    const write = (path: string, mode: number): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), path, { mode });
    };
    write('cli/main.ts', 0o644);
    write('cli/private.ts', 0o600);
    write('cli/run', 0o700);
    write('.git/config', 0o644);
    write('dist/sensor/sensor.o', 0o644);
    write('dist/engine/large', 0o644);
    write('../modules/pack/index.js', 0o644);
    symlinkSync('../modules', join(root, 'node_modules'));
    symlinkSync('../cli/main.ts', join(root, 'cli/link'));
  });

  it('is detected by the first folder that they cannot enter', () => {
    assert.equal(closedFolder(join(root, 'cli')), closed);
    chmodSync(closed, 0o711);
    assert.equal(closedFolder(join(root, 'cli')), undefined);
    assert.equal(readableTree(root), root);
    chmodSync(root, 0o700);
    assert.equal(closedFolder(join(root, 'cli')), root);
    chmodSync(closed, 0o700);
  });

  it('is linked or copied to a tree in which they can read and run its files', () => {
    const tree = readableTree(root);
    assert.notEqual(tree, root);
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    for (const path of ['cli/main.ts', 'cli/private.ts', 'node_modules/pack/index.js', 'dist/sensor/sensor.o']) {
      const { stdout, stderr } = spawnSync('setpriv', [...asNobody, 'cat', join(tree, path)], { encoding: 'utf8' });
      assert.equal(stdout, path.replace('node_modules', '../modules'), stderr);
    }
    assert.equal(spawnSync('setpriv', [...asNobody, 'test', '-x', join(tree, 'cli/run')]).status, 0);
    for (const path of ['.git', 'dist/engine']) assert.equal(existsSync(join(tree, path)), false, path);
    assert.equal(statSync(join(root, 'cli/private.ts')).mode & 0o777, 0o600, 'the checkout does not change');
  });

  it('does not affect paths outside of the checkout', () => assert.equal(readable('/etc/passwd'), '/etc/passwd'));
});
