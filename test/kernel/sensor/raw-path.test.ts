import assert from 'node:assert/strict';
import { constants, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const { O_RDONLY, O_WRONLY } = constants;
/** Bytes of a path that the kernel accepts, without the NUL. */
const LONGEST = 4095;

describe('paths as the caller passed them', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let programs: Record<'open' | 'change', string>;
  let directory: string;
  before(async () => {
    scratch = new Scratch();
    programs = { open: scratch.compile('open'), change: scratch.compile('change') };
    sensor = await TestSensor.start();
  });
  beforeEach(() => {
    directory = join(scratch.path, 'raw');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(directory, 'sub'), { recursive: true });
    for (const name of ['raw-file', 'sub/raw-inner']) writeFileSync(join(directory, name), 'content');
    symlinkSync('raw-file', join(directory, 'raw-link'));
    sensor.control({ all_opens: 1, raw_paths: 1 });
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const text = (record: SensorRecord | undefined, name: string): string => String(record?.texts[name]?.bytes);

  async function opened(call: string, path: string, flags = O_RDONLY): Promise<SensorRecord | undefined> {
    const records = await sensor.run(programs.open, [call, path, String(flags)], { cwd: directory });
    return recordsOf(records, 'rf_open').at(-1);
  }

  async function changed(...words: readonly string[]): Promise<SensorRecord | undefined> {
    return recordsOf(await sensor.run(programs.change, words, { cwd: directory }), 'rf_file_change')[0];
  }

  test('an open that succeeds has the path that the kernel resolved, and the one that was passed', async () => {
    const file = join(directory, 'raw-file');
    for (const call of ['open', 'openat', 'openat2'])
      for (const path of ['raw-file', './/raw-link', '../raw/sub/../raw-link', `/proc/self/cwd/raw-file`, file]) {
        const record = await opened(call, path);
        assert.deepEqual([text(record, 'path'), text(record, 'raw_path')], [file, path], call);
        assert.equal(record?.fields['result'], 3);
      }
  });

  test('links of /proc are as they were passed', async () => {
    const executable = await opened('openat', '/proc/self/exe');
    assert.deepEqual([text(executable, 'path'), text(executable, 'raw_path')], [programs.open, '/proc/self/exe']);
    const descriptor = await opened('openat', '/proc/self/fd/0');
    assert.equal(text(descriptor, 'raw_path'), '/proc/self/fd/0');
  });

  test('an open that fails has the path made absolute, and the one that was passed', async () => {
    const record = await opened('openat', 'missing/../file', O_WRONLY);
    assert.deepEqual(
      [text(record, 'path'), text(record, 'raw_path')],
      [`${directory}/missing/../file`, 'missing/../file'],
    );
  });

  test('a path of any length that the kernel accepts is complete', async () => {
    const path = `${'./'.repeat((LONGEST - 'raw-file'.length - 1) / 2)}/raw-file`;
    assert.equal(path.length, LONGEST);
    const record = await opened('openat', path);
    assert.deepEqual([text(record, 'path'), text(record, 'raw_path')], [join(directory, 'raw-file'), path]);
    assert.equal(record?.texts['raw_path']?.length, LONGEST);
  });

  test('a change has its paths as they were passed, unless it names a descriptor', async () => {
    const rename = await changed('rename', 'sub/../raw-file', './sub//new');
    assert.deepEqual([text(rename, 'raw_path'), text(rename, 'raw_target')], ['sub/../raw-file', './sub//new']);
    const link = await changed('link', 'raw-link', 'sub/hard');
    assert.deepEqual([text(link, 'raw_path'), text(link, 'raw_target')], ['raw-link', 'sub/hard']);
    const symlink = await changed('symlink', '../any', 'sub/soft');
    assert.deepEqual([text(symlink, 'raw_path'), text(symlink, 'target')], ['sub/soft', '../any']);
    assert.equal(symlink?.texts['raw_target']?.length, 0, 'the target is as it was passed');
    const removed = await changed('unlink', './raw-missing');
    assert.deepEqual([removed?.fields['result'], text(removed, 'raw_path')], [-2, './raw-missing']);
    const descriptor = await changed('fchmod', 'sub/raw-inner', '600');
    assert.equal(descriptor?.texts['raw_path']?.length, 0);
  });

  test('while no rule asks, a record has no byte of them', async () => {
    const asked = await opened('openat', './raw-file');
    sensor.control({ all_opens: 1 });
    const unasked = await opened('openat', './raw-file');
    assert.equal(unasked?.texts['raw_path']?.length, 0);
    assert.equal(Number(asked?.header.size) - Number(unasked?.header.size), './raw-file'.length);
    assert.equal((await changed('rename', 'raw-file', 'sub/new'))?.texts['raw_path']?.length, 0);
  });
});
