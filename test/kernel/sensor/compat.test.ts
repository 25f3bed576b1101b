import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { recordOf, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { isLoaded } from './expect.ts';

const COMPAT_CALL = 6;
const EXEC_32BIT = 512;
/** Exit status of the program where a 64-bit process can make no 32-bit call. */
const NO_SUCH_CALL = 77;

/** An i386 program that exits with 0: a file header, a program header and the code. */
function program32(): Buffer {
  const [header, load] = [Buffer.alloc(52), Buffer.alloc(32)];
  const code = Buffer.from([0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80]); // mov eax, 1; xor ebx, ebx; int 0x80
  const base = 0x8048000;
  header.write('\x7fELF\x01\x01\x01', 'latin1');
  for (const [at, value] of [
    [16, 2], // executable
    [18, 3], // i386
    [40, 52], // bytes of this header
    [42, 32], // bytes of a program header
    [44, 1], // number of program headers
  ] as const)
    header.writeUInt16LE(value, at);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(base + 84, 24);
  header.writeUInt32LE(52, 28);
  for (const [index, value] of [1, 0, base, base, 84 + code.length, 84 + code.length, 5, 4096].entries())
    load.writeUInt32LE(value, 4 * index);
  return Buffer.concat([header, load, code]);
}

describe('32-bit code on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let compat: string;
  before(async () => {
    scratch = new Scratch();
    compat = scratch.compile('compat');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const hasCompat = (): boolean => spawnSync(compat, ['fork']).status !== NO_SUCH_CALL;

  async function compatCalls(...args: string[]): Promise<unknown[][]> {
    const records = recordsOf(await sensor.run(compat, args), 'rf_isolation');
    return records
      .filter(({ fields }) => fields['operation'] === COMPAT_CALL)
      .map(({ fields }) => [fields['option'], fields['argument'], fields['result'], fields['count']]);
  }

  test('each hook that runs in a 32-bit call of a 64-bit program reports the call', async (t) => {
    if (!hasCompat()) return t.skip('this kernel has no 32-bit calls');
    assert.deepEqual(await compatCalls('fork'), [[2n, 1n, 0, 1]]);
    assert.deepEqual(await compatCalls('exit'), [[1n, 2n, 0, 1]]);
    assert.deepEqual(await compatCalls('connect'), [[362n, 3n, 0, 1]]);
    assert.deepEqual(await compatCalls('bind'), [[361n, 6n, 0, 1]]);
    assert.deepEqual(await compatCalls('unix'), isLoaded(sensor, 'connect_unix') ? [[362n, 3n, 0, 1]] : []);
    assert.deepEqual(await compatCalls('signal', String(process.pid)), [[37n, 4n, 0, 1]]);
  });

  test('a call that no such hook runs in stays unseen, as an open does without the full profile', async (t) => {
    if (!hasCompat()) return t.skip('this kernel has no 32-bit calls');
    assert.deepEqual(await compatCalls('open'), isLoaded(sensor, 'file_open') ? [[5n, 5n, 0, 1]] : []);
  });

  test('calls of x32: forks, exits, connects and signals are seen, an open is not', async (t) => {
    const x32 = scratch.compile('x32');
    const run = spawnSync(x32, ['fork']);
    if (run.status === NO_SUCH_CALL) return t.skip('this kernel has no calls of x32 (syscall.x32=y enables them)');
    const secret = join(scratch.path, 'secret');
    writeFileSync(secret, '');
    sensor.watch(scratch.path);
    const types = async (...args: string[]): Promise<string[]> => {
      const records = await sensor.run(x32, args);
      t.diagnostic(`${args[0]}: ${records.map(({ type }) => type).join(' ')}`);
      return records.map(({ type }) => type);
    };
    assert.equal((await types('fork')).filter((type) => type === 'rf_fork').length, 1);
    assert.ok((await types('exit')).includes('rf_exit'));
    assert.ok((await types('connect')).includes('rf_connect'));
    assert.ok((await types('signal', String(process.pid))).includes('rf_signal'));
    assert.ok(!(await types('open', secret)).includes('rf_open'));
  });

  test('a 32-bit executable is marked at its exec and in a snapshot, and a 64-bit one is not', async (t) => {
    const flags = (record: SensorRecord | undefined): number => Number(record?.fields['flags']) & EXEC_32BIT;
    assert.equal(flags(recordOf(await sensor.run(compat, ['none']), 'rf_exec')), 0);
    assert.equal(flags(sensor.snapshot(process.pid)[0]), 0);
    const path = join(scratch.path, 'program32');
    writeFileSync(path, program32(), { mode: 0o755 });
    if (spawnSync(path).status !== 0) return t.skip('this kernel runs no 32-bit programs');
    assert.equal(flags(recordOf(await sensor.run(path), 'rf_exec')), EXEC_32BIT);
  });
});
