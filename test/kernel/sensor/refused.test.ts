/** Calls that seccomp refuses are events as others that fail, wherever the sensor sees system calls. */

import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { Scratch, skip, TestSensor } from '@ringfence/testkit/sensor';

const { EPERM } = constants.errno;
describe('what seccomp refuses', { skip }, () => {
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

  test('each refused call is told with what was asked for and the error, in its own kind of event; what is let pass is told once', async () => {
    const records = await sensor.run(scratch.compile('refused'), [scratch.path]);
    const told = records.flatMap(({ type, fields, texts }) => {
      const path = texts['target']?.bytes.toString() || texts['path']?.bytes.toString() || '';
      const own =
        path.startsWith(scratch.path) || path.startsWith('/refused') || ['rf_isolation', 'rf_attempt'].includes(type);
      return own && !path.endsWith('/refused') ? [[type, path.replace(`${scratch.path}/`, ''), fields['result']]] : [];
    });
    const confined = told.findIndex(([type, , result]) => type === 'rf_isolation' && result === -EPERM);
    assert.deepEqual(told.slice(confined), [
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
