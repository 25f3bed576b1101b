import assert from 'node:assert/strict';
import { copyFileSync, linkSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { recordOf, recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';

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

  /** An executable of its own, whose faults are counted apart from all others'. */
  function fresh(): string {
    const own = `${program}-${copies++}`;
    copyFileSync(program, own);
    return own;
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
    test(`${how}: says what was touched and where`, async () => {
      const records = await sensor.run(fresh(), [how]);
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

  test('a trap that is handled, and a signal that somebody sent, are no faults', async () => {
    assert.deepEqual(await faults(program, 'handled-trap'), []);
    assert.deepEqual(await faults(program, 'sent'), []);
  });

  const all16 = Array.from({ length: 16 }, (_, index) => index + 1);

  test('a process that faults on and on is told of at powers of two', async () => {
    const before = sensor.counters(SECURITY).merged;
    assert.deepEqual(await counts(fresh(), 'loop', '1000'), [...all16, 32, 64, 128, 256, 512]);
    assert.ok(sensor.counters(SECURITY).merged - before >= 1000n - 21n);
  });

  test('so is a server that makes a new process for each try: its executable is what is counted', async () => {
    const server = fresh();
    const told = await faults(server, 'forks', '70');
    assert.deepEqual(
      told.map(({ fields }) => fields['count']),
      [...all16, 32, 64],
    );
    assert.equal(new Set(told.map(({ header }) => header.tgid)).size, 18);
    // by whatever name, whoever started it; another executable has nothing to do with it
    const link = `${server}-link`;
    linkSync(server, link);
    assert.deepEqual(await counts(link, 'forks', '60'), [128]);
    assert.deepEqual(await counts(fresh(), 'unmapped'), [1]);
  });

  test('an executable that had none for a minute begins anew', async () => {
    const server = fresh();
    assert.deepEqual(await counts(server, 'forks', '20'), all16);
    const { dev, ino } = statSync(server);
    const bursts = sensor.object.map('rf_faults');
    const [key] = [...bursts.keys()].filter((one) => (one as { inode: bigint }).inode === BigInt(ino));
    assert.ok(key, `${dev}:${ino}`);
    const burst = bursts.get(key) as { last: bigint };
    bursts.set(key, { ...burst, last: burst.last - 60_000_000_000n });
    assert.deepEqual(await counts(server, 'forks', '2'), [1, 2]);
  });
});
