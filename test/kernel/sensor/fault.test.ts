import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SensorRecord } from './records.ts';
import { all, one, Scratch, SECURITY, skip, TestSensor } from './sensor.ts';

const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGFPE = 8;
const SIGSEGV = 11;
const SIGSYS = 31;
const MAPPED = 0x1000_0000n;
const SI_KERNEL = 0x80;
const SYS_getuid = 102;

describe('faults on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('fault');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const faults = async (...args: string[]): Promise<SensorRecord[]> => all(await sensor.run(program, args), 'rf_fault');

  for (const [how, signal, code, address, system_call] of [
    ['unmapped', SIGSEGV, 1, 0x1234n, -1],
    ['protected', SIGSEGV, 2, MAPPED, -1],
    ['bus', SIGBUS, 2, MAPPED, -1],
    ['illegal', SIGILL, 2, 'instruction', -1],
    ['division', SIGFPE, 1, 'instruction', -1],
    ['trap', SIGTRAP, SI_KERNEL, 0n, -1],
    ['system-call', SIGSYS, 1, 'instruction', SYS_getuid],
  ] as const)
    test(`${how}: says what was touched and where`, async () => {
      const records = await sensor.run(program, [how]);
      const fault = one(records, 'rf_fault');
      assert.equal(fault.lane, SECURITY);
      const { instruction } = fault.fields;
      assert.ok(typeof instruction === 'bigint' && instruction > 0x1_0000n);
      assert.deepEqual(fault.fields, {
        address: address === 'instruction' ? instruction : address,
        instruction,
        signal,
        code,
        count: 1,
        system_call,
      });
      assert.equal(one(records, 'rf_exit').fields['signal'], signal);
    });

  test('a trap that is handled, and a signal that somebody sent, are no faults', async () => {
    assert.deepEqual(await faults('handled-trap'), []);
    assert.deepEqual(await faults('sent'), []);
  });

  test('a process that faults on and on is told of at powers of two', async () => {
    const before = sensor.counters(SECURITY).merged;
    const counts = (await faults('loop', '1000')).map(({ fields }) => fields['count']);
    assert.deepEqual(counts, [...Array.from({ length: 16 }, (_, index) => index + 1), 32, 64, 128, 256, 512]);
    assert.ok(sensor.counters(SECURITY).merged - before >= 1000n - 21n);
  });
});
