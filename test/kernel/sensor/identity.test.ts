import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { identifyFiles } from '@ringfence/sensor/parts';
import { recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { fileFacts } from './expect.ts';

const O_PATH = 0o10000000;
const O_RDONLY = 0;
/** Exit status of a program whose way the kernel does not have. */
const NO_SUCH_WAY = 77;

/** Ways to open a file of which the kernel gives another path. */
const OTHER_PATHS = ['hard-link', 'bind-mount', 'open-tree', 'overlay', 'copied-up', 'rename'];
/** Ways of which the kernel gives the file's own path. */
const OWN_PATH = ['symbolic-link', 'descriptor', 'chroot', 'process-root', 'handle'];

describe('files that are recognized by identity', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let programs: Record<'reach' | 'open' | 'io_uring', string>;
  let directory: string;
  let path: string;
  before(async () => {
    scratch = new Scratch();
    programs = {
      reach: scratch.compile('reach'),
      open: scratch.compile('open'),
      io_uring: scratch.compile('io_uring'),
    };
    directory = join(scratch.path, 'vault');
    path = join(directory, 'secret');
    mkdirSync(directory);
    sensor = await TestSensor.start();
  });
  beforeEach(() => {
    sensor.control({ nothing_named: 1, watched_heads: [1, 0] });
    writeFileSync(path, 'secret');
    follow({ reads: true });
  });
  after(() => {
    sensor?.filter.files.set(new Map());
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  function follow(options: { readonly reads: boolean }, file: string = path): void {
    const descriptor = openSync(file, O_PATH);
    const keys = identifyFiles(sensor.object.program('identify_files')).get(descriptor) ?? [];
    closeSync(descriptor);
    assert.ok(sensor.filter.files.set(new Map([[file, { ...options, keys }]])));
  }

  const texts = (record: SensorRecord): string[] =>
    ['path', 'reached'].map((name) => record.texts[name]?.bytes.toString() ?? '');

  /** Returns path and reached path of the opens of the secret. */
  async function reach(way: string): Promise<string[][] | undefined> {
    const place = join(scratch.path, `by-${way}`);
    mkdirSync(place);
    const records = await sensor.run(programs.reach, [way, directory, 'secret', place]);
    const exit = recordsOf(records, 'rf_exit').find(({ header }) => header.tgid === records[0]?.header.tgid);
    rmSync(place, { recursive: true });
    if (exit?.fields['code'] === NO_SUCH_WAY) return undefined;
    assert.equal(exit?.fields['code'], 0, way);
    return recordsOf(records, 'rf_open')
      .map(texts)
      .filter((opened) => opened.some((text) => text.endsWith('/secret')));
  }

  test('an open by another path has the path that rules name, and the other one beside it', async (t) => {
    for (const way of OTHER_PATHS) {
      const opened = await reach(way);
      if (opened === undefined) {
        t.diagnostic(`this kernel has no ${way}`);
        continue;
      }
      assert.ok(opened.length >= 1, way);
      for (const [named, reached] of opened) {
        assert.equal(named, path, way);
        assert.notEqual(reached, path, way);
        assert.match(reached ?? '', /\/secret$/, way);
      }
    }
  });

  test('an open by another path after its generation was changed is recognized, and no other file', async (t) => {
    const mounted = join(scratch.path, 'mounted');
    const image = join(scratch.path, 'image');
    mkdirSync(mounted);
    writeFileSync(image, '');
    truncateSync(image, 8 << 20);
    // Only without checksums of metadata does ext4 let the owner of a file change its generation.
    const steps = [
      'mke2fs -q -t ext4 -O ^metadata_csum "$0"',
      'mount -o loop "$0" "$1"',
      'mkdir "$1/vault" "$1/place"',
    ];
    const { status, stderr } = spawnSync('sh', ['-ec', steps.join(' && '), image, mounted], { encoding: 'utf8' });
    if (status !== 0) return t.skip(`no file system of its own: ${stderr}`);
    const [followed, other] = ['secret', 'other'].map((name) => join(mounted, 'vault', name)) as [string, string];
    try {
      writeFileSync(followed, 'secret');
      follow({ reads: true }, followed);
      const args = ['generation', join(mounted, 'vault'), 'secret', join(mounted, 'place')];
      const opened = recordsOf(await sensor.run(programs.reach, args), 'rf_open').map(texts);
      assert.deepEqual(
        opened.filter(([named]) => named === followed),
        [
          [followed, ''],
          [followed, join(mounted, 'place/secret')],
        ],
      );
      const { inode } = fileFacts(followed);
      rmSync(followed);
      writeFileSync(other, 'x');
      assert.equal(fileFacts(other).inode, inode, 'the file system used the number again');
      const records = await sensor.run(programs.open, ['openat', other, String(O_RDONLY)]);
      assert.deepEqual(
        recordsOf(records, 'rf_open')
          .map(texts)
          .filter(([named]) => named === followed),
        [],
      );
    } finally {
      spawnSync('umount', [mounted]);
    }
  });

  test('an open whose path the kernel knows to be the same has no other path', async () => {
    for (const way of OWN_PATH) {
      const opened = new Set((await reach(way))?.map((texts) => texts.join(' as ')));
      assert.deepEqual([...opened], [`${path} as `], way);
    }
  });

  test('an open through io_uring is recognized too', async () => {
    const link = join(scratch.path, 'alias');
    const records = await sensor.run('sh', [
      '-c',
      'ln "$0" "$1" && "$2" 0 0 openat "$1" 0',
      path,
      link,
      programs.io_uring,
    ]);
    const [opened] = recordsOf(records, 'rf_io_uring').filter(({ texts }) => texts['path']?.bytes.includes('secret'));
    rmSync(link);
    assert.ok(opened, 'no request was recognized');
    assert.deepEqual(texts(opened), [path, link]);
  });

  test('reads that no rule asks for stay in the kernel, and writes have the path that rules name', async () => {
    follow({ reads: false });
    assert.deepEqual(await reach('hard-link'), []);
    const link = join(scratch.path, 'alias');
    const script = 'ln "$0" "$1"; echo x >> "$1"';
    const records = await sensor.run('sh', ['-c', script, path, link]);
    rmSync(link);
    const written = recordsOf(records, 'rf_open')
      .map(texts)
      .filter(([named]) => named === path);
    assert.deepEqual(written, [[path, link]]);
  });

  test('another file with the same inode number is not taken for it', async () => {
    const { inode } = fileFacts(path);
    const other = join(directory, 'other');
    writeFileSync(other, 'x');
    const descriptor = openSync(path, O_PATH);
    const [key = new Uint8Array(16)] = identifyFiles(sensor.object.program('identify_files')).get(descriptor) ?? [];
    closeSync(descriptor);
    assert.equal(new DataView(key.buffer).getBigUint64(0, true), inode);
    const older = new Uint8Array(key);
    older[12]! ^= 1;
    sensor.filter.files.set(new Map([[join(directory, 'gone'), { reads: true, keys: [older] }]]));
    assert.deepEqual(await reach('hard-link'), []);
    for (const file of [path, other])
      assert.deepEqual(
        recordsOf(await sensor.run(programs.open, ['openat', file, String(O_RDONLY)]), 'rf_open')
          .map(texts)
          .filter(([named]) => named === file),
        [],
      );
  });
});
