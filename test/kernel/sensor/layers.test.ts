import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

/** Tries for an inode's number to be used again. */
const TRIES = 50;
const O_ACCMODE = 3;

describe('who a file is, whatever shows it', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  let lower: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('terminate');
    sensor = await TestSensor.start();
  });
  beforeEach(() => {
    lower = join(scratch.path, 'lower');
    mkdirSync(lower, { recursive: true });
    copyFileSync(program, join(lower, 'old'));
    sensor.control({ all_opens: 1 });
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Superblock, inode and generation of a record's file; of an overlay's file those of the file in the layer. */
  const who = ({ fields }: SensorRecord): string =>
    [
      fields['real_inode'] === 0n ? fields['device'] : fields['real_device'],
      fields['real_inode'] === 0n ? fields['inode'] : fields['real_inode'],
      fields['generation'],
    ].join(' ');

  const ending = (records: readonly SensorRecord[], kind: string, name: string): SensorRecord[] =>
    recordsOf(records, kind).filter(({ texts }) => String(texts['path']?.bytes).endsWith(`/${name}`));
  const written = (records: readonly SensorRecord[], name: string): string[] =>
    ending(records, 'rf_open', name)
      .filter(({ fields }) => (Number(fields['flags']) & O_ACCMODE) !== 0)
      .map(who);
  const executed = (records: readonly SensorRecord[], name: string): string[] =>
    ending(records, 'rf_exec', name).map(who);

  /** Runs a script in a mount namespace, in a directory with an overlay `both` of `lower` and a layer in memory. */
  const inOverlay = (script: string): Promise<SensorRecord[]> =>
    sensor.run('unshare', [
      '--mount',
      'sh',
      '-ec',
      `cd ${scratch.path}; mkdir -p memory both; mount -t tmpfs none memory; mkdir memory/upper memory/work
       mount -t overlay none -o lowerdir=${lower},upperdir=memory/upper,workdir=memory/work both; ${script}`,
    ]);

  test('a file written in an overlay over two file systems is the one that is executed', async () => {
    const records = await inOverlay(`cp ${program} both/new; both/new code 0; both/old code 0; ${lower}/old code 0`);
    const [copied] = executed(records, 'new');
    assert.deepEqual(new Set(written(records, 'new')), new Set([copied]));
    const [shown, beneath] = ending(records, 'rf_exec', 'old');
    assert.ok(shown && beneath);
    assert.equal(who(shown), who(beneath), 'the file of the lower layer is itself');
    assert.notEqual(who(shown), copied);
    assert.notEqual(shown.fields['real_inode'], 0n);
    assert.equal(beneath.fields['real_inode'], 0n, 'it is in no overlay');
  });

  test('a file that a write copies up is another file from then on', async () => {
    const records = await inOverlay(`both/old code 0; cat ${program} > both/old; both/old code 0`);
    const [before, after] = executed(records, 'old');
    assert.notEqual(before, after);
    assert.ok(written(records, 'old').includes(String(after)));
    assert.ok(!written(records, 'old').includes(String(before)));
  });

  test('overlays of one layer that show files with equal numbers show different files', async () => {
    const records = await inOverlay(`for n in 1 2; do
        mkdir -p memory/u$n memory/w$n both$n
        mount -t overlay none -o lowerdir=${lower},upperdir=memory/u$n,workdir=memory/w$n both$n
        cp ${program} both$n/made$n; both$n/made$n code 0
      done`);
    assert.notEqual(executed(records, 'made1')[0], executed(records, 'made2')[0]);
    for (const name of ['made1', 'made2'])
      assert.ok(written(records, name).includes(String(executed(records, name)[0])));
  });

  test('a bind mount shows the same file', async () => {
    mkdirSync(join(scratch.path, 'bound'), { recursive: true });
    const script = `mount --bind ${lower} ${scratch.path}/bound; cat ${program} > ${scratch.path}/bound/old; ${lower}/old code 0`;
    const records = await sensor.run('unshare', ['--mount', 'sh', '-ec', script]);
    assert.deepEqual(written(records, 'old'), executed(records, 'old'));
  });

  test('a file that gets the number of a removed one is another file', async (t) => {
    for (let tries = 0; tries < TRIES; tries++) {
      const records = await sensor.run('sh', [
        '-ec',
        `cd ${lower}; echo x > gone; rm gone; cp ${program} reused; ./reused code 0; rm reused`,
      ]);
      const [first] = ending(records, 'rf_open', 'gone');
      const [second] = ending(records, 'rf_exec', 'reused');
      if (first?.fields['inode'] !== second?.fields['inode']) continue;
      assert.ok(first && second);
      assert.notEqual(who(first), who(second));
      return;
    }
    t.skip(`this file system used no inode's number again in ${TRIES} tries`);
  });

  test('btrfs: a file written in a subvolume is the one that is executed', async (t) => {
    if (spawnSync('mkfs.btrfs', ['--version']).error !== undefined) {
      t.skip('mkfs.btrfs is not installed');
      return;
    }
    const [image, place] = [join(scratch.path, 'btrfs.img'), join(scratch.path, 'btrfs')];
    writeFileSync(image, '');
    truncateSync(image, 256 * 1024 * 1024);
    mkdirSync(place);
    assert.equal(spawnSync('mkfs.btrfs', ['-q', image]).status, 0);
    const records = await sensor.run('unshare', [
      '--mount',
      'sh',
      '-ec',
      `mount -o loop ${image} ${place}; cd ${place}; btrfs subvolume create a; cp ${program} a/sub; a/sub code 0`,
    ]);
    assert.deepEqual(new Set(written(records, 'sub')), new Set(executed(records, 'sub')));
    assert.equal(executed(records, 'sub').length, 1);
  });
});
