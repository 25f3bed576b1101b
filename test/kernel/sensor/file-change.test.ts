import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, normalize } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  BULK,
  callerUnlessFull,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { records, UNSET_ID } from '@ringfence/wire';
import { kernelDevice } from './expect.ts';

const { EAGAIN, ENODATA } = constants.errno;
const [EPERM, ENOENT, EBADF, EFAULT, EEXIST, ENOTDIR, EINVAL] = [-1, -2, -9, -14, -17, -20, -22];
const { AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, AT_EMPTY_PATH } = records.AtFlag;

type Operation = keyof typeof records.FileOperation extends `FILE_${infer Name}` ? Name : never;

/** Expected record. Fields that are not given are 0, an unchanged id, or empty. */
interface Expected {
  readonly operation: Operation;
  readonly path: string;
  readonly target?: string;
  readonly result?: number;
  readonly caller?: 0 | 1;
  /** the call fails after the kernel has found the file, so the full profile has the kernel's path */
  readonly found?: true;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly lane?: number;
}

/** operations on names that have no inode yet */
const CREATES: ReadonlySet<Operation> = new Set(['MKDIR', 'MKNOD', 'SYMLINK']);

/** Returns inode and device without following a symbolic link. */
function entryFacts(path: string): { inode: bigint; device: number } {
  const { ino, dev } = lstatSync(path, { bigint: true });
  return { inode: ino, device: kernelDevice(dev) };
}

/**
 * In the full profile, paths come from the kernel if the call got that far, and are normalized. Otherwise they are as
 * the
 * caller wrote them.
 */
const reportedPath = (path: string, byKernel: boolean): string =>
  byKernel && path.startsWith('/') ? normalize(path).replace(/\/$/, '') : path;

describe('file changes on the running kernel', { skip }, () => {
  let full: boolean;
  let sensor: TestSensor;
  let scratch: Scratch;
  let change: string;
  let directory: string;
  before(async () => {
    scratch = new Scratch();
    change = scratch.compile('change');
    sensor = await TestSensor.start();
    full = (await callerUnlessFull()) === 0;
  });
  beforeEach(() => {
    directory = join(scratch.path, 'files');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(directory, 'sub'), { recursive: true });
    for (const name of ['file', 'other', 'sub/inner']) writeFileSync(join(directory, name), 'content');
    symlinkSync('file', join(directory, 'link'));
    sensor.control({ all_opens: 1 });
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function changes(...words: readonly string[]): Promise<SensorRecord[]> {
    return recordsOf(await sensor.run(change, words, { cwd: directory }), 'rf_file_change');
  }

  /** Asserts that the call leaves one record with these values. Skips calls that the kernel does not have. */
  async function expect(words: string, expected: Expected): Promise<void> {
    if (words.split(' ').some((word) => sensor.missing.has(`${word.replace(/-.*/, '')}_exit`))) return;
    const { operation, result = 0, lane = BULK } = expected;
    const byKernel = full && expected.caller === undefined && (result === 0 || expected.found === true);
    const known = byKernel && !CREATES.has(operation) ? entryFacts(expected.path) : { inode: 0n, device: 0 };
    const [record, ...rest] = await changes(...words.split(' '));
    assert.equal(rest.length, 0, words);
    const caller = byKernel ? 0 : (expected.caller ?? 1);
    assert.equal(record?.texts['path']?.bytes.toString(), reportedPath(expected.path, byKernel), words);
    assert.equal(
      record?.texts['target']?.bytes.toString(),
      reportedPath(expected.target ?? '', byKernel && operation !== 'SYMLINK'),
      words,
    );
    assert.deepEqual(
      record?.fields,
      {
        ...known,
        operation: records.FileOperation[`FILE_${operation}`],
        result,
        mode: 0,
        uid: UNSET_ID,
        gid: UNSET_ID,
        flags: 0,
        source_caller: caller,
        length: 0n,
        special: 0,
        ...expected.fields,
      },
      words,
    );
    assert.deepEqual([record?.texts['raw_path']?.length, record?.texts['raw_target']?.length], [0, 0], words);
    assert.equal(record?.lane, lane, words);
  }

  const at = (name: string): string => join(directory, name);
  const facts = (name: string): { inode: bigint; device: number } => entryFacts(at(name));

  test('a rename is reported with both paths, for every system call', async () => {
    const renamed = { operation: 'RENAME', path: at('file'), target: at('sub/new') } as const;
    await expect('rename file sub/new', renamed);
    await expect(`rename ${at('sub/new')} file`, { ...renamed, path: at('sub/new'), target: at('file') });
    await expect('renameat . file sub new', renamed);
    await expect('renameat2 cwd sub/new cwd file 1', {
      ...renamed,
      path: at('sub/new'),
      target: at('file'),
      fields: { flags: 1 },
    });
    await expect('rename missing new', { ...renamed, path: at('missing'), target: at('new'), result: ENOENT });
    await expect('renameat cwd missing cwd new', {
      ...renamed,
      path: at('missing'),
      target: at('new'),
      result: ENOENT,
    });
    await expect('renameat2 cwd other cwd file 1', {
      ...renamed,
      path: at('other'),
      target: at('file'),
      result: EEXIST,
      fields: { flags: 1 },
    });
  });

  test('a hard link is reported with the file and its new name', async () => {
    const linked = { operation: 'LINK', path: at('file'), target: at('hard') } as const;
    await expect('link file hard', linked);
    await expect('linkat . file sub hard', { ...linked, target: at('sub/hard') });
    await expect('linkat-empty file cwd again', {
      ...linked,
      target: at('again'),
      fields: { flags: AT_EMPTY_PATH, ...facts('file') },
    });
    await expect('link file hard', { ...linked, result: EEXIST });
    await expect('linkat cwd missing cwd new', { ...linked, path: at('missing'), target: at('new'), result: ENOENT });
  });

  test('a symbolic link is reported with its target as written', async () => {
    const linked = { operation: 'SYMLINK', target: '../etc/./shadow' } as const;
    await expect('symlink ../etc/./shadow soft', { ...linked, path: at('soft') });
    await expect('symlinkat ../etc/./shadow sub soft', { ...linked, path: at('sub/soft') });
    await expect('symlink ../etc/./shadow soft', { ...linked, path: at('soft'), result: EEXIST });
    await expect('symlinkat ../etc/./shadow cwd file/soft', { ...linked, path: at('file/soft'), result: ENOTDIR });
  });

  test('a removal is reported, with a flag for directories', async () => {
    await expect('unlink file', { operation: 'UNLINK', path: at('file') });
    await expect('unlink file', { operation: 'UNLINK', path: at('file'), result: ENOENT });
    await expect('unlinkat sub inner', { operation: 'UNLINK', path: at('sub/inner') });
    await expect('unlinkat sub inner', { operation: 'UNLINK', path: at('sub/inner'), result: ENOENT });
    const removed = { operation: 'RMDIR', fields: { flags: AT_REMOVEDIR } } as const;
    await expect('unlinkat-directory . sub', { ...removed, path: at('sub') });
    await expect('unlinkat-directory . other', { ...removed, path: at('other'), result: ENOTDIR, found: true });
    mkdirSync(at('sub'));
    await expect('rmdir sub', { operation: 'RMDIR', path: at('sub') });
    await expect('rmdir sub', { operation: 'RMDIR', path: at('sub'), result: ENOENT });
  });

  test('a new directory is reported with the requested mode', async () => {
    const made = { operation: 'MKDIR', fields: { mode: 0o1777 } } as const;
    await expect('mkdir new 1777', { ...made, path: at('new') });
    await expect('mkdirat sub new 1777', { ...made, path: at('sub/new') });
    await expect('mkdir new 1777', { ...made, path: at('new'), result: EEXIST });
    await expect('mkdirat cwd missing/new 1777', { ...made, path: at('missing/new'), result: ENOENT });
  });

  test("a changed mode is reported, and by descriptor with the kernel's path, inode and device", async () => {
    const changed = { operation: 'CHMOD', path: at('file'), fields: { mode: 0o640 } } as const;
    await expect('chmod file 640', changed);
    await expect('fchmod link 640', { ...changed, caller: 0, fields: { mode: 0o640, ...facts('file') } });
    await expect('fchmodat sub inner 640', { ...changed, path: at('sub/inner') });
    await expect('fchmodat2 cwd file 640', { ...changed, fields: { mode: 0o640, flags: AT_SYMLINK_NOFOLLOW } });
    await expect('fchmodat2-empty link 640', {
      ...changed,
      caller: 0,
      fields: { mode: 0o640, flags: AT_EMPTY_PATH, ...facts('file') },
    });
    await expect('chmod missing 640', { ...changed, path: at('missing'), result: ENOENT });
    await expect('fchmod none 640', { ...changed, path: '', caller: 0, result: EBADF });
    await expect('fchmodat cwd missing 640', { ...changed, path: at('missing'), result: ENOENT });
    chmodSync(scratch.path, 0o755);
    await expect('as 65534 65534 fchmodat2 cwd file 640', {
      ...changed,
      result: EPERM,
      found: true,
      fields: { mode: 0o640, flags: AT_SYMLINK_NOFOLLOW },
    });
  });

  test('a changed owner is reported with the requested ids', async () => {
    const changed = { operation: 'CHOWN', path: at('file'), fields: { uid: 12, gid: UNSET_ID } } as const;
    await expect('chown file 12 -1', changed);
    await expect('lchown link -1 13', { ...changed, path: at('link'), fields: { uid: UNSET_ID, gid: 13 } });
    await expect('fchown link 12 -1', { ...changed, caller: 0, fields: { ...changed.fields, ...facts('file') } });
    const flags = AT_SYMLINK_NOFOLLOW;
    await expect('fchownat sub inner 12 -1', {
      ...changed,
      path: at('sub/inner'),
      fields: { ...changed.fields, flags },
    });
    await expect('fchownat-empty file 12 -1', {
      ...changed,
      caller: 0,
      fields: { ...changed.fields, flags: AT_EMPTY_PATH, ...facts('file') },
    });
    await expect('chown missing 12 -1', { ...changed, path: at('missing'), result: ENOENT });
    await expect('lchown missing 12 -1', { ...changed, path: at('missing'), result: ENOENT });
    await expect('fchown none 12 -1', { ...changed, path: '', caller: 0, result: EBADF });
    await expect('fchownat cwd missing 12 -1', {
      ...changed,
      path: at('missing'),
      result: ENOENT,
      fields: { ...changed.fields, flags },
    });
  });

  test('extended attributes are reported by name, file capabilities on the security lane', async () => {
    const target = 'security.capability';
    const set = { operation: 'SETXATTR', path: at('file'), target, lane: SECURITY } as const;
    await expect(`setxattr file ${target}`, set);
    await expect(`lsetxattr sub/inner ${target}`, { ...set, path: at('sub/inner') });
    await expect(`fsetxattr link ${target}`, { ...set, fields: facts('file') });
    await expect(`setxattrat sub inner ${target}`, { ...set, path: at('sub/inner') });
    const failed = { ...set, path: at('missing'), result: ENOENT };
    await expect(`setxattr missing ${target}`, failed);
    await expect(`lsetxattr missing ${target}`, failed);
    await expect(`setxattrat cwd missing ${target}`, failed);
    await expect(`fsetxattr none ${target}`, { ...set, path: '', result: EBADF });
    const removed = { operation: 'REMOVEXATTR', path: at('file'), target, lane: SECURITY } as const;
    await expect(`removexattr file ${target}`, removed);
    const gone = { ...removed, result: -ENODATA, found: true } as const;
    await expect(`lremovexattr file ${target}`, gone);
    await expect(`fremovexattr link ${target}`, { ...gone, fields: facts('file') });
    await expect(`removexattrat sub inner ${target}`, { ...removed, path: at('sub/inner') });
    await expect(`removexattrat sub inner ${target}`, { ...gone, path: at('sub/inner') });
    await expect('setxattr file trusted.other', { ...set, target: 'trusted.other', lane: BULK });
  });

  test('a created node is reported with mode and device number, device nodes on the security lane', async () => {
    const made = { operation: 'MKNOD', path: at('node') } as const;
    await expect('mknod node 10644 0 0', { ...made, fields: { mode: 0o10644 } });
    await expect('mknod node 20600 1 3', {
      ...made,
      result: EEXIST,
      lane: SECURITY,
      fields: { mode: 0o20600, special: (1 << 20) | 3 },
    });
    await expect('mknodat sub node 60600 259 65537', {
      ...made,
      path: at('sub/node'),
      lane: SECURITY,
      fields: { mode: 0o60600, special: (259 << 20) | 65_537 },
    });
    await expect('mknodat cwd missing/node 100644 0 0', {
      ...made,
      path: at('missing/node'),
      result: ENOENT,
      fields: { mode: 0o100644 },
    });
  });

  test('a truncation is reported with the new length', async () => {
    const cut = { operation: 'TRUNCATE', path: at('file'), fields: { length: 3n } } as const;
    await expect('truncate file 3', cut);
    await expect('ftruncate link 3', { ...cut, caller: 0, fields: { length: 3n, ...facts('file') } });
    await expect('truncate missing 3', { ...cut, path: at('missing'), result: ENOENT });
    await expect('ftruncate file -1', {
      ...cut,
      caller: 0,
      result: EINVAL,
      fields: { length: 0xffff_ffff_ffff_ffffn, ...facts('file') },
    });
  });

  test('splicing a file that the caller may only read into a pipe is reported, whatever is watched', async () => {
    sensor.control({ watched_heads: [0, 0], nothing_named: 1 });
    chmodSync(scratch.path, 0o755);
    const spliced = { operation: 'SPLICE', path: at('file'), caller: 0 } as const;
    const fields = { length: 1n, ...facts('file') };
    await expect('as 65534 65534 splice file empty', { ...spliced, result: 1, fields });
    await expect('as 65534 65534 splice file full', { ...spliced, result: -EAGAIN, fields });
    // A caller that may write the file needs no exploit.
    assert.deepEqual(await changes('splice', 'file', 'empty'), []);
    assert.deepEqual(await changes('splice-writable', 'file', 'empty'), []);
    chmodSync(at('file'), 0o666);
    assert.deepEqual(await changes('as', '65534', '65534', 'splice', 'file', 'empty'), []);
  });

  test('paths of a caller in a chroot start at the real root', async () => {
    const made = { operation: 'MKDIR', fields: { mode: 0o755 } } as const;
    await expect(`root ${directory} mkdir /sub/new 755`, { ...made, path: at('sub/new') });
    await expect(`root ${at('sub')} mkdir outside 755`, { ...made, path: at('outside') });
  });

  test('a path is reported as written, relative to its directory, or alone if the directory does not exist', async () => {
    const made = { operation: 'MKDIR', fields: { mode: 0o755 } } as const;
    await expect('mkdir ./sub//../sub/new/ 755', { ...made, path: `${directory}/./sub//../sub/new/` });
    await expect('mkdirat missing new 755', { ...made, path: 'new', result: EBADF });
    await expect('mkdir sub/../file/new 755', { ...made, path: `${directory}/sub/../file/new`, result: ENOTDIR });
    const [record] = recordsOf(await sensor.run(change, ['mkdir', '', '755'], { cwd: directory }), 'rf_file_change');
    assert.equal(record?.fields['result'], ENOENT);
    assert.equal(record?.texts['path']?.length, 0);
  });

  test('an unreadable path is reported as empty, and counted', async () => {
    const before = sensor.counters(BULK).read_fault;
    await expect('unlink-fault', { operation: 'UNLINK', path: '', result: EFAULT });
    assert.ok(sensor.counters(BULK).read_fault > before);
  });

  test('a long path is reported with head, tail and true length, and bytes that are not text are kept', async () => {
    const long = 'x'.repeat(250);
    const text = `sub/${`${long}/`.repeat(15)}\x1b[2J\n`;
    const [record] = await changes('rename', text, text);
    const whole = `${directory}/${text}`;
    for (const name of ['path', 'target'])
      assert.deepEqual(record?.texts[name], { bytes: Buffer.from(whole), length: whole.length }, name);
    const longer = `sub/${`${long}/`.repeat(16)}${'end'.repeat(20)}`;
    const [cut] = await changes('rename', longer, longer);
    const uncut = `${directory}/${longer}`;
    const kept = Buffer.from(uncut.slice(0, 2048) + uncut.slice(-2048));
    for (const name of ['path', 'target'])
      assert.deepEqual(cut?.texts[name], { bytes: kept, length: uncut.length }, name);
  });

  test('on a read-only mount, root counts as a caller that may only read', async () => {
    const spliced = recordsOf(
      await sensor.run('unshare', [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" splice "$1/file" empty',
        change,
        directory,
      ]),
      'rf_file_change',
    ).filter(({ fields }) => fields['operation'] === records.FileOperation.FILE_SPLICE);
    assert.deepEqual(
      spliced.map(({ texts }) => texts['path']?.bytes.toString()),
      [at('file')],
    );
  });
});
