import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';
import { records as layout } from '@ringfence/wire';

const { EBADF, EPERM } = constants.errno;
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

  test('on a kernel without modules, their hooks are listed as missing and the calls leave no event', async (t) => {
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

  test('failed loads and unloads are reported, from memory, from a file and by name', {
    skip: without.length > 0 && 'a kernel without modules has these calls, but no tracepoints for them',
  }, async () => {
    const records = recordsOf(await sensor.run(system, ['modules']), 'rf_module');
    const [memory, file, unload, ...rest] = records;
    for (const record of records) assert.equal(record.lane, SECURITY);
    assert.deepEqual(rest, []);
    assert.equal(memory?.fields['operation'], OPERATION.OPERATION_MODULE_LOAD);
    assert.equal(memory?.fields['from_memory'], 1);
    assert.equal(memory?.texts['parameters']?.bytes.toString(), 'rf=1');
    assert.ok(Number(memory?.fields['result']) < 0);
    assert.equal(file?.fields['operation'], OPERATION.OPERATION_MODULE_LOAD);
    assert.equal(file?.fields['from_memory'], 0);
    assert.ok([-EBADF, -EPERM].includes(Number(file?.fields['result'])));
    assert.equal(unload?.fields['operation'], OPERATION.OPERATION_MODULE_UNLOAD);
    assert.equal(unload?.fields['name_source'], NAME.CALLER);
    assert.equal(unload?.texts['name']?.bytes.toString(), 'rf_none');
    assert.ok(Number(unload?.fields['result']) < 0);
  });
});
