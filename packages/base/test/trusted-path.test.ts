import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { distrustOf } from '../src/trusted-path.ts';

const skip = process.getuid?.() !== 0 && 'changing owners needs root';
const READER = 65_534;
const OTHER = 12_345;

/** Returns a file of root in a folder of root. */
function files(t: TestContext): { readonly folder: string; readonly file: string } {
  const top = mkdtempSync(join(tmpdir(), 'rf-trust-'));
  t.after(() => rmSync(top, { recursive: true }));
  chmodSync(top, 0o755);
  const folder = join(top, 'rules');
  const file = join(folder, 'one.yaml');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(file, '', { mode: 0o644 });
  return { folder, file };
}

describe('a file that decides what a process does', () => {
  test('is trusted if only root, or the reader, can change it or a folder above it', { skip }, (t) => {
    const { folder, file } = files(t);
    for (const reader of [0, READER]) assert.equal(distrustOf(file, reader), null);
    chownSync(file, READER, 0);
    chownSync(folder, READER, 0);
    assert.equal(distrustOf(file, READER), null);
  });

  test('is not trusted if another user owns it or a folder above it, and the command to change that is named', {
    skip,
  }, (t) => {
    const { folder, file } = files(t);
    for (const path of [file, folder]) {
      chownSync(path, OTHER, 0);
      assert.deepEqual(distrustOf(file, 0), {
        message: `${path} belongs to user ${OTHER}, not to root`,
        command: `chown -h root ${path}`,
      });
      assert.match(distrustOf(file, READER)?.message ?? '', /not to root or user 65534$/);
      chownSync(path, 0, 0);
    }
    chownSync(file, READER, 0);
    assert.match(distrustOf(file, 0)?.message ?? '', /belongs to user 65534/, 'the reader is weaker than root');
  });

  test('is not trusted if its mode, or that of a folder above it, lets other users write', { skip }, (t) => {
    const { folder, file } = files(t);
    for (const [path, mode, usual] of [
      [file, 0o666, 0o644],
      [folder, 0o777, 0o755],
    ] as const) {
      chmodSync(path, mode);
      const distrust = distrustOf(file, READER);
      assert.equal(distrust?.message, `${path} is writable by every user`);
      assert.equal(spawnSync('sh', ['-c', distrust?.command ?? '']).status, 0);
      assert.equal(distrustOf(file, READER), null);
      chmodSync(path, usual);
    }
    chownSync(file, 0, OTHER);
    chmodSync(file, 0o664);
    assert.equal(distrustOf(file, 0)?.message, `${file} is writable by group ${OTHER}`);
  });

  test('may be below a sticky folder, but a sticky folder that others can add files to is not trusted itself', {
    skip,
  }, (t) => {
    const { folder, file } = files(t);
    chmodSync(folder, 0o1777);
    assert.equal(distrustOf(file, 0), null);
    assert.equal(distrustOf(folder, 0)?.message, `${folder} is writable by every user`);
  });

  test('is not trusted behind a link that another user owns, or in a folder that another user can write to', {
    skip,
  }, (t) => {
    const { folder, file } = files(t);
    const link = join(tmpdir(), `rf-trust-link-${process.pid}`);
    t.after(() => rmSync(link));
    symlinkSync(file, link);
    assert.equal(distrustOf(link, 0), null);
    lchownSync(link, OTHER, 0);
    assert.match(distrustOf(link, 0)?.message ?? '', /rf-trust-link.* belongs to user 12345/);
    lchownSync(link, 0, 0);
    chmodSync(folder, 0o777);
    assert.match(distrustOf(link, 0)?.message ?? '', /rules is writable by every user/);
  });

  test('is not trusted as a named pipe, or a link into the program’s tree, in a folder that another user can write to', {
    skip,
  }, (t) => {
    const { folder } = files(t);
    const pipe = join(folder, 'pipe.yaml');
    const link = join(folder, 'link.yaml');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    symlinkSync(import.meta.filename, link);
    for (const path of [pipe, link]) assert.equal(distrustOf(path, 0), null);
    chmodSync(folder, 0o777);
    for (const path of [pipe, link])
      assert.match(distrustOf(path, 0)?.message ?? '', /rules is writable by every user/);
  });

  test('is trusted in the tree of the program, and if it is a device or a pipe without a name', { skip }, () => {
    assert.equal(distrustOf(import.meta.filename, 0), null);
    assert.equal(distrustOf('/dev/null', 0), null);
    const code = `import { distrustOf } from ${JSON.stringify(join(import.meta.dirname, '../src/trusted-path.ts'))};
      console.log(distrustOf(process.argv[1], 0));`;
    const command = '"$0" --conditions=@ringfence/source --input-type=module --eval "$1" <(true)';
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, code], { encoding: 'utf8' });
    assert.equal(stdout.trim(), 'null', stderr);
  });
});
