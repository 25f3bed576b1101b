import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { probeFullProfile } from '../../../services/collector/src/sensor/full.ts';
import { fileFacts } from './expect.ts';
import type { SensorRecord } from './records.ts';
import { all, Scratch, sensorObject, skip as sensorSkip, TestSensor } from './sensor.ts';

const TIMES = 200;

async function whyNot(): Promise<string | false> {
  if (sensorSkip !== false) return sensorSkip;
  const why = probeFullProfile(await sensorObject()).lacking.get('file_open');
  return why === undefined ? false : `this kernel has no LSM hooks for BPF (npm run test:kernels has): ${why}`;
}

const skip = await whyNot();

describe('the full profile on a kernel that has it', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let race: string;
  let open: string;
  before(async () => {
    scratch = new Scratch();
    race = scratch.compile('race');
    open = scratch.compile('open');
    sensor = await TestSensor.start({ full: true });
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  function opensOf(records: readonly SensorRecord[], part: string): SensorRecord[] {
    return all(records, 'rf_open').filter(({ texts }) => texts['path']?.bytes.includes(part));
  }

  test('a descriptor that another thread replaces hides no open: each is reported, once, as what was opened', async () => {
    const [path, decoy] = [join(scratch.path, 'raced-file'), join(scratch.path, 'decoy')];
    for (const file of [path, decoy]) writeFileSync(file, '');
    const records = await sensor.run(race, [path, decoy, String(TIMES)]);
    const { inode, device, mode } = fileFacts(path);
    const opens = opensOf(records, 'raced-file');
    assert.equal(opens.length, TIMES);
    for (const { fields } of opens) {
      const { flags, result, ...facts } = fields;
      assert.deepEqual(facts, { inode, device, mode, source_caller: 0, count: 1 });
      assert.equal(Number(flags) & 3, constants.O_WRONLY);
      assert.ok(Number(result) > 2);
    }
    assert.deepEqual(opensOf(records, 'decoy'), []);
  });

  test('the test is one: other threads do replace descriptors', () => {
    const [path, decoy] = [join(scratch.path, 'raced-again'), join(scratch.path, 'decoy-again')];
    for (const file of [path, decoy]) writeFileSync(file, '');
    const replaced = Number(execFileSync(race, [path, decoy, '3000', 'once'], { encoding: 'utf8' }));
    assert.ok(replaced > 0, `${replaced} descriptors were replaced`);
  });

  test('an open of a single thread is reported once, as in the baseline', async () => {
    const path = join(scratch.path, 'lonely-file');
    writeFileSync(path, '');
    for (const call of ['open', 'openat', 'openat2', 'creat'])
      assert.equal(
        opensOf(await sensor.run(open, [call, path, String(constants.O_RDWR)]), 'lonely-file').length,
        1,
        call,
      );
  });

  test('a file opened as a mere path by a thread is what its descriptor says', async () => {
    sensor.control({ all_opens: 1 });
    const path = join(scratch.path, 'path-file');
    writeFileSync(path, '');
    const O_PATH = 0o10000000;
    const opens = opensOf(await sensor.run(open, ['openat', path, String(O_PATH)]), 'path-file');
    assert.equal(opens.length, 1);
  });
});
