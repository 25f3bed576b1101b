import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records as layout } from '@ringfence/wire';

const EBADF = -9;
const EPERM = -1;
const { ModuleOperation: OPERATION, ModuleName: NAME } = layout;
const hooks = ['init_module', 'finit_module', 'delete_module'];
const without = hooks.filter((name) => !existsSync(`/sys/kernel/tracing/events/syscalls/sys_exit_${name}`));

describe('kernel modules', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let system: string;
  before(async () => {
    scratch = new Scratch();
    system = scratch.compile('system');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  test('a kernel that is built without modules has no hook for them: named as missing, and the calls leave no event', async (t) => {
    const missing = [...sensor.missing].filter((name) => name.includes('module'));
    const calls = missing.filter((name) => name.endsWith('_exit'));
    assert.deepEqual(
      calls,
      without.map((name) => `${name}_exit`),
    );
    if (without.length === 0) {
      assert.deepEqual(missing, []);
      t.skip('this kernel has modules');
      return;
    }
    assert.deepEqual(missing, ['module_loaded', 'module_freed', ...calls]);
    assert.deepEqual(recordsOf(await sensor.run(system, ['modules']), 'rf_module'), []);
  });

  test('loads and unloads that fail are events, from memory, from a file and by name', {
    skip:
      without.length > 0 && 'this kernel is built without modules: the calls exist, but cannot be traced one by one',
  }, async () => {
    const records = recordsOf(await sensor.run(system, ['modules']), 'rf_module');
    const [memory, file, unload, ...others] = records;
    for (const record of records) assert.equal(record.lane, SECURITY);
    assert.deepEqual(others, []);
    assert.equal(memory?.fields['operation'], OPERATION.OPERATION_MODULE_LOAD);
    assert.equal(memory?.fields['from_memory'], 1);
    assert.equal(memory?.texts['parameters']?.bytes.toString(), 'rf=1');
    assert.ok(Number(memory?.fields['result']) < 0);
    assert.equal(file?.fields['operation'], OPERATION.OPERATION_MODULE_LOAD);
    assert.equal(file?.fields['from_memory'], 0);
    assert.ok([EBADF, EPERM].includes(Number(file?.fields['result'])));
    assert.equal(unload?.fields['operation'], OPERATION.OPERATION_MODULE_UNLOAD);
    assert.equal(unload?.fields['name_source'], NAME.CALLER);
    assert.equal(unload?.texts['name']?.bytes.toString(), 'rf_none');
    assert.ok(Number(unload?.fields['result']) < 0);
  });
});
