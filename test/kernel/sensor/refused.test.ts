/** System calls that seccomp refuses are reported like other failed calls wherever the sensor hooks system calls. */

import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';

const { EPERM } = constants.errno;
describe('calls refused by seccomp', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  before(async () => {
    scratch = new Scratch();
    sensor = await TestSensor.start({ refusals: true });
    sensor.control({});
    sensor.watch(scratch.path);
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  test('each refused call is reported once with its arguments and error, by the usual type of event', async () => {
    const records = await sensor.run(scratch.compile('refused'), [scratch.path]);
    const calls = records.flatMap(({ type, fields, texts }) => {
      const path = texts['target']?.bytes.toString() || texts['path']?.bytes.toString() || '';
      const isOfTest =
        path.startsWith(scratch.path) || path.startsWith('/refused') || ['rf_isolation', 'rf_attempt'].includes(type);
      return isOfTest && !path.endsWith('/refused')
        ? [[type, path.replace(`${scratch.path}/`, ''), fields['result']]]
        : [];
    });
    const confined = calls.findIndex(([type, , result]) => type === 'rf_isolation' && result === -EPERM);
    assert.deepEqual(calls.slice(confined), [
      ['rf_isolation', '', -EPERM],
      ['rf_mount_change', 'refused-mount', -EPERM],
      ['rf_file_change', 'refused-directory', -EPERM],
      ['rf_open', 'refused-file', -EPERM],
      ['rf_attempt', '/refused-program', -EPERM],
      ['rf_attempt', '', -EPERM],
      ['rf_file_change', 'made-before', 0],
    ]);
  });
});
