import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BULK, recordsOf, Scratch, SECURITY, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

describe("the kernel's filter of file changes", { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let change: string;
  let directory: string;
  before(async () => {
    scratch = new Scratch();
    change = scratch.compile('change');
    sensor = await TestSensor.start();
  });
  beforeEach(() => {
    directory = join(scratch.path, 'files');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(directory, 'sub'), { recursive: true });
    for (const name of ['file', 'other']) writeFileSync(join(directory, name), 'content');
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const at = (name: string): string => join(directory, name);

  async function changes(...words: readonly string[]): Promise<SensorRecord[]> {
    return recordsOf(await sensor.run(change, words, { cwd: directory }), 'rf_file_change');
  }

  const isReported = async (...words: string[]): Promise<boolean> => (await changes(...words)).length > 0;

  const head = (path: string): [number, number] => {
    const bit = (path.codePointAt(1) ?? 0) % 64;
    return bit < 32 ? [(1 << bit) >>> 0, 0] : [0, (1 << (bit - 32)) >>> 0];
  };

  test('with nothing watched, only changes that grant privileges are sent', async () => {
    sensor.control({ watched_heads: [0, 0], nothing_named: 1 });
    const before = sensor.counters(BULK).unwatched;
    for (const words of ['rename file new', 'unlink new', 'chmod other 644', 'chown other 0 0', 'truncate other 0'])
      assert.deepEqual(await changes(...words.split(' ')), [], words);
    assert.ok(sensor.counters(BULK).unwatched >= before + 5n);
    for (const words of ['chmod other 4755', 'fchmod other 2755', 'chmod missing 4755']) {
      const [record, ...rest] = await changes(...words.split(' '));
      assert.equal(rest.length, 0);
      assert.equal(record?.lane, SECURITY);
    }
    for (const words of ['setxattr other security.capability', 'mknod device 20600 1 3', 'mknod special 104755 0 0'])
      assert.equal(await isReported(...words.split(' ')), true, words);
    for (const words of ['setxattr other security.capabilities', 'setxattr other user.x', 'mknod fifo 10644 0 0'])
      assert.equal(await isReported(...words.split(' ')), false, words);
  });

  test('a watched prefix matches either path, including paths that contain ..', async () => {
    sensor.control({ nothing_named: 1 });
    const watched = join(scratch.path, 'watched-changes');
    mkdirSync(watched, { recursive: true });
    sensor.watch(`${watched}/`);
    assert.equal(await isReported('rename', 'file', 'sub/file'), false);
    assert.equal(await isReported('rename', 'sub/file', `${watched}/file`), true);
    assert.equal(await isReported('rename', `${watched}/file`, 'file'), true);
    assert.equal(await isReported('symlink', `${watched}/file`, 'soft'), true);
    assert.equal(await isReported('mkdir', `${watched}-not/file`, '755'), false);
    assert.equal(
      await isReported('unlink', '../watched-changes/missing'),
      true,
      'the path is below the prefix after resolving ..',
    );
    assert.equal(await isReported('fchmod', 'file', '644'), false);
    writeFileSync(join(watched, 'file'), '');
    assert.equal(await isReported('fchmod', '../watched-changes/file', '644'), true);
    assert.equal(await isReported('truncate', `${watched}/file`, '0'), true);
  });

  test('prefixes and names that are watched for changes match changes and no opens', async () => {
    const watched = join(scratch.path, 'changed-only');
    mkdirSync(watched, { recursive: true });
    for (const name of ['file', 'changed-name']) writeFileSync(join(watched, name), '');
    sensor.watch(`${watched}/f`, 'rf_changed');
    sensor.watchName('changed-name', 'rf_changed_names');
    sensor.control({ watched_heads: [0, 0], nothing_named: 1, changed_heads: head(watched) });
    assert.equal(await isReported('rename', 'file', `${watched}/file`), true);
    assert.equal(await isReported('rename', `${watched}/file`, 'file'), true);
    assert.equal(
      await isReported('fchmod', `${watched}/changed-name`, '644'),
      false,
      'names are not watched for changes',
    );
    assert.equal(await isReported('unlink', `/nowhere/../${watched}/f`), true, 'a path with .. cannot be compared');
    assert.equal(await isReported('unlink', '/nowhere/./other/f'), false);
    sensor.control({ watched_heads: [0, 0], nothing_named: 1, changes_named: 1 });
    assert.equal(await isReported('rename', 'file', `${watched}/file`), false, 'prefixes are not watched for changes');
    assert.equal(await isReported('rename', 'other', 'sub/changed-name'), true);
    assert.equal(await isReported('fchmod', `${watched}/changed-name`, '644'), true);
    for (const path of ['changed-name/', 'sub/..', './changed-name'])
      assert.equal(await isReported('unlink', path), true, path);
    for (const path of ['changed-name-2', 'xchanged-name', './name'])
      assert.equal(await isReported('unlink', path), false, path);
    writeFileSync(join(watched, 'file'), '');
    sensor.control({ watched_heads: [0, 0], nothing_named: 1, changes_named: 1, changed_heads: head(watched) });
    const read = await sensor.run('/bin/cat', [join(watched, 'file'), join(watched, 'changed-name')], { cwd: watched });
    const opened = recordsOf(read, 'rf_open').map(({ texts }) => texts['path']?.bytes.toString() ?? '');
    assert.deepEqual(
      opened.filter((path) => path.startsWith(watched)),
      [],
    );
  });

  test('a path that cannot be compared is sent, unless its first component rules out every prefix', async () => {
    sensor.control({ nothing_named: 1, watched_heads: head('/zzz') });
    sensor.watch('/zzz/');
    for (const path of ['/../zzz/x', '//zzz/x', '/./zzz/x', '/a/../zzz/x', '/a/b/../../zzz/x', '/a/../../zzz/x'])
      assert.equal(await isReported('unlink', path), true, path);
    for (const path of ['/aaa/../aaa/../zzz', '/zzz/./x', '/zzz//x', '/zzz/y/..', '/zzz/y/', '/zzz/'])
      assert.equal(await isReported('unlink', path), true, path);
    for (const path of ['/a/./zzz/x', '/a/b/../zzz/x', '/a//zzz', '/a/.zzz/x', '/a/..zzz/x', '/a/...', '/a/zzz/'])
      assert.equal(await isReported('unlink', path), false, path);
  });

  test('a watched name matches paths that end with it or could resolve to it', async () => {
    sensor.control({ watched_heads: [0, 0] });
    sensor.watchName('watched-name');
    for (const path of [
      'watched-name',
      'sub/../watched-name',
      '/nowhere/watched-name',
      'watched-name/',
      'a/watched-name/.',
    ])
      assert.equal(await isReported('unlink', path), true, path);
    assert.equal(await isReported('rename', 'other', 'sub/watched-name'), true);
    assert.equal(await isReported('symlink', 'watched-name', 'points'), true);
    for (const path of ['watched-name-2', 'xwatched-name', 'sub/../other-name', 'watched-name/x'])
      assert.equal(await isReported('unlink', path), false, path);
  });

  test("the agent's changes are not sent, but counted", () => {
    sensor.drain();
    const agent_start = sensor.snapshot(process.pid)[0]?.header.start ?? assert.fail('not found');
    sensor.control({ all_opens: 1, agent_tgid: process.pid, agent_start });
    const before = sensor.counters(SECURITY).self;
    chmodSync(at('file'), 0o4755);
    assert.ok(sensor.counters(SECURITY).self > before);
    const known = sensor.records.length;
    sensor.drain();
    const agentRecords = sensor.records
      .slice(known)
      .filter(({ type, header }) => type === 'rf_file_change' && header.tgid === process.pid);
    assert.deepEqual(agentRecords, []);
  });
});
