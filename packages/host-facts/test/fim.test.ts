import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import koffi from 'koffi';
import { BaselineError, readBaseline, writeBaseline } from '../src/fim/baseline.ts';
import { compare } from '../src/fim/compare.ts';
import { type FileFacts, pathOf, scan } from '../src/fim/scan.ts';

/** Does the same as `setcap cap_net_raw+ep`: struct vfs_cap_data, version 2. */
function grantNetRaw(file: string): void {
  const value = Buffer.alloc(20);
  value.writeUInt32LE(0x02000001);
  value.writeUInt32LE(1 << 13, 4);
  const set = koffi
    .load('libc.so.6')
    .func('int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)');
  assert.equal(set(file, 'security.capability', value, value.length, 0), 0);
}

const root = process.getuid?.() === 0;

describe('file integrity', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringfence-fim-'));
    mkdirSync(join(directory, 'bin'));
    for (const name of ['cat', 'ls', 'ping'])
      writeFileSync(join(directory, 'bin', name), `#!${name}\n`, { mode: 0o755 });
    symlinkSync('cat', join(directory, 'bin/more'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const scanDirectory = (): Promise<Map<string, FileFacts>> => scan({ paths: [directory] });
  const path = (name: string): string => join(directory, 'bin', name);

  /** Returns the changes by file name. */
  async function changes(before: ReadonlyMap<string, FileFacts>): Promise<Record<string, string>> {
    const found = compare(before, await scanDirectory());
    return Object.fromEntries(
      found.map(({ path: changed, what: kind, fields }) => [
        changed.slice(directory.length + 1),
        [kind, ...fields.map(([name]) => name)].join(' '),
      ]),
    );
  }

  test('finds no change if only times have changed', async () => {
    const before = await scanDirectory();
    assert.equal(before.size, 6);
    utimesSync(path('cat'), 1, 1);
    assert.deepEqual(await changes(before), {});
  });

  test('finds content of the same length, modes, links, new and removed files', async () => {
    const before = await scanDirectory();
    writeFileSync(path('cat'), '#!dog\n');
    appendFileSync(path('ls'), 'x');
    chmodSync(path('ping'), 0o4755);
    unlinkSync(path('more'));
    symlinkSync('ls', path('more'));
    writeFileSync(path('new'), '');
    assert.deepEqual(await changes(before), {
      'bin/cat': 'changed sha256',
      'bin/ls': 'changed size sha256',
      'bin/more': 'changed target',
      'bin/new': 'added',
      'bin/ping': 'changed mode',
    });
    unlinkSync(path('cat'));
    assert.equal((await changes(before))['bin/cat'], 'removed');
  });

  test('finds owners and capabilities', { skip: root ? false : 'changing owners needs root' }, async () => {
    const before = await scanDirectory();
    chownSync(path('cat'), 65534, 65534);
    assert.equal((await changes(before))['bin/cat'], 'changed uid gid');
    grantNetRaw(path('ping'));
    assert.equal((await changes(before))['bin/ping'], 'changed capabilities');
  });

  test('handles names that are not UTF-8', async () => {
    const before = await scanDirectory();
    const name = Buffer.concat([Buffer.from(`${directory}/bin/`), Buffer.from([0xff, 0x1b, 0x41])]);
    writeFileSync(name, 'x');
    const [change, ...rest] = compare(before, await scanDirectory());
    assert.equal(rest.length, 0);
    assert.deepEqual(pathOf(change?.path ?? ''), name);
    assert.equal(change?.what, 'added');
  });

  test('does not block on a pipe', {
    skip: root ? false : 'needs root for mknod',
  }, async () => {
    execFileSync('mkfifo', [path('pipe')]);
    const found = await scanDirectory();
    assert.equal(found.get(path('pipe'))?.type, 'fifo');
  });

  test('reads a baseline as it was written, and rejects a changed one', async () => {
    const files = await scanDirectory();
    const file = join(directory, '../', `${directory.split('/').at(-1)}.jsonl`);
    try {
      const sha256 = writeBaseline(file, { paths: [directory], at: '2026-01-01T00:00:00.000Z', files });
      const read = readBaseline(file, sha256);
      assert.deepEqual(read.paths, [directory]);
      assert.deepEqual(new Map(read.files), new Map(files));
      writeFileSync(file, readFileSync(file, 'utf8').replace('"uid":0', '"uid":1'));
      assert.throws(() => readBaseline(file, sha256), BaselineError);
      assert.throws(() => readBaseline(`${file}.none`), /fim baseline/);
      writeFileSync(file, '{"version":1}\n');
      assert.throws(() => readBaseline(file), BaselineError);
    } finally {
      rmSync(file, { force: true });
    }
  });
});
