import assert from 'node:assert/strict';
import { copyFileSync, linkSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { recordOf, recordsOf, Scratch, SECURITY, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

const { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS } = constants.signals;
const MAPPED = 0x1000_0000n;
const SI_KERNEL = 0x80;
const SYS_getuid = 102;

describe('faults on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  let copies = 0;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('fault');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  /** Returns the path of a new copy of the program, because faults are counted per executable. */
  function newCopy(): string {
    const copy = `${program}-${copies++}`;
    copyFileSync(program, copy);
    return copy;
  }

  const faults = async (file: string, ...args: string[]): Promise<SensorRecord[]> =>
    recordsOf(await sensor.run(file, args), 'rf_fault');
  const counts = async (file: string, ...args: string[]): Promise<unknown[]> =>
    (await faults(file, ...args)).map(({ fields }) => fields['count']);

  for (const [how, signal, code, address, system_call] of [
    ['unmapped', SIGSEGV, 1, 0x1234n, -1],
    ['protected', SIGSEGV, 2, MAPPED, -1],
    ['bus', SIGBUS, 2, MAPPED, -1],
    ['illegal', SIGILL, 2, 'instruction', -1],
    ['division', SIGFPE, 1, 'instruction', -1],
    ['trap', SIGTRAP, SI_KERNEL, 0n, -1],
    ['system-call', SIGSYS, 1, 'instruction', SYS_getuid],
  ] as const)
    test(`${how}: the fault is reported with its address and instruction`, async () => {
      const records = await sensor.run(newCopy(), [how]);
      const fault = recordOf(records, 'rf_fault');
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
      assert.equal(recordOf(records, 'rf_exit').fields['signal'], signal);
    });

  test('a handled trap and a signal sent by a process are not reported', async () => {
    assert.deepEqual(await faults(program, 'handled-trap'), []);
    assert.deepEqual(await faults(program, 'sent'), []);
  });

  const all16 = Array.from({ length: 16 }, (_, index) => index + 1);

  test('repeated faults of a process are reported at powers of two', async () => {
    const before = sensor.counters(SECURITY).merged;
    assert.deepEqual(await counts(newCopy(), 'loop', '1000'), [...all16, 32, 64, 128, 256, 512]);
    assert.ok(sensor.counters(SECURITY).merged - before >= 1000n - 21n);
  });

  test('faults are counted per executable, even if a server forks a process for each attempt', async () => {
    const server = newCopy();
    const records = await faults(server, 'forks', '70');
    assert.deepEqual(
      records.map(({ fields }) => fields['count']),
      [...all16, 32, 64],
    );
    assert.equal(new Set(records.map(({ header }) => header.tgid)).size, 18);
    // Hard links share the count. Another executable has its own.
    const link = `${server}-link`;
    linkSync(server, link);
    assert.deepEqual(await counts(link, 'forks', '60'), [128]);
    assert.deepEqual(await counts(newCopy(), 'unmapped'), [1]);
  });

  test('the count starts again after a minute without a fault', async () => {
    const server = newCopy();
    assert.deepEqual(await counts(server, 'forks', '20'), all16);
    const { dev, ino } = statSync(server);
    const bursts = sensor.object.map('rf_faults');
    const [key] = [...bursts.keys()].filter((entry) => (entry as { inode: bigint }).inode === BigInt(ino));
    assert.ok(key, `${dev}:${ino}`);
    const burst = bursts.get(key) as { last: bigint };
    bursts.set(key, { ...burst, last: burst.last - 60_000_000_000n });
    assert.deepEqual(await counts(server, 'forks', '2'), [1, 2]);
  });
});
