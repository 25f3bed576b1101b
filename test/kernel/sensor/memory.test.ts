import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BULK, recordOf, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';
import { fileFacts } from './expect.ts';

const { EBADF, ENOMEM, EINVAL } = constants.errno;
const MEMFD_CREATE = 1;
const MMAP = 2;
const MPROTECT = 3;
const READ_EXEC = 5;
const ALL = 7;
const ADDRESS = 0x1000_0000n;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

describe('executable memory on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    program = scratch.compile('memory');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function get(call: string, path = '', count = 1): Promise<SensorRecord[]> {
    const records = recordsOf(await sensor.run(program, [call, path, String(count)]), 'rf_memory');
    for (const { lane } of records) assert.equal(lane, BULK);
    return records;
  }

  function file(): string {
    const path = join(scratch.path, 'library');
    writeFileSync(path, Buffer.alloc(8192, 1));
    return path;
  }

  const plain = { inode: 0n, device: 0, result: 0, flags: 0, source_caller: 0, count: 1 };
  const path = (record: SensorRecord): string | undefined => record.texts['path']?.bytes.toString();

  test('a memfd is reported', async () => {
    const created = recordOf(await get('memfd'), 'rf_memory');
    const { inode, device, result, ...fields } = created.fields;
    assert.ok(typeof inode === 'bigint' && inode > 0n && Number(device) > 0 && Number(result) > 2);
    const rest = {
      address: 0n,
      length: 0n,
      operation: MEMFD_CREATE,
      protection: 0,
      flags: 1,
      source_caller: 0,
      count: 1,
    };
    assert.deepEqual(fields, rest);
    assert.equal(path(created), '/memfd:payload');
  });

  test("a failed memfd_create is reported with the caller's name, marked as such", async () => {
    const failed = recordOf(await get('memfd-wrong'), 'rf_memory');
    const expected = {
      address: 0n,
      length: 0n,
      operation: MEMFD_CREATE,
      protection: 0,
      result: -EINVAL,
      source_caller: 1,
    };
    assert.deepEqual(failed.fields, { ...plain, ...expected, flags: 0x8000 });
    assert.equal(path(failed), 'payload');
  });

  test('a writable and executable mapping is reported', async () => {
    const mapped = recordOf(await get('mmap'), 'rf_memory');
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
    const expected = { ...plain, address: ADDRESS, length: 8192n, operation: MMAP, protection: ALL, flags };
    assert.deepEqual(mapped.fields, expected);
    assert.equal(path(mapped), '');
  });

  test('a writable and executable mapping of a file is reported with the file', async () => {
    const name = file();
    const { inode, device } = fileFacts(name);
    const mapped = recordOf(await get('mmap-file', name), 'rf_memory');
    assert.deepEqual([mapped.fields['inode'], mapped.fields['device'], path(mapped)], [inode, device, name]);
  });

  test('a failed writable and executable mapping is reported', async () => {
    const failed = recordOf(await get('mmap-wrong'), 'rf_memory');
    const { address, result, operation } = failed.fields;
    assert.deepEqual({ address, result, operation }, { address: ADDRESS, result: -EBADF, operation: MMAP });
  });

  test('anonymous memory that becomes executable is reported', async () => {
    for (const call of ['mprotect', 'pkey']) {
      const made = recordOf(await get(call), 'rf_memory');
      const expected = { ...plain, address: ADDRESS, length: 4096n, operation: MPROTECT, protection: READ_EXEC };
      assert.deepEqual(made.fields, expected, call);
    }
  });

  test('file memory that becomes executable is reported if it is writable, was modified, or its file was deleted', async () => {
    for (const [call, protection] of [
      ['mprotect-both', ALL],
      ['mprotect-stomped', READ_EXEC],
      ['mprotect-deleted', READ_EXEC],
    ] as const) {
      const name = file();
      const { inode, device } = fileFacts(name);
      const made = recordOf(await get(call, name), 'rf_memory');
      assert.equal(path(made), name, call);
      assert.deepEqual(made.fields, {
        ...plain,
        address: ADDRESS,
        length: 4096n,
        operation: MPROTECT,
        protection,
        inode,
        device,
      });
    }
  });

  test('a failed mprotect of unmapped memory is reported', async () => {
    const { address, result, protection } = recordOf(await get('mprotect-wrong'), 'rf_memory').fields;
    assert.deepEqual({ address, result, protection }, { address: 0x1000n, result: -ENOMEM, protection: ALL });
  });

  test('unmodified code of a file, and data, are not reported', async () => {
    const before = sensor.counters(BULK).unwatched;
    assert.deepEqual(await get('mprotect-file', file()), []);
    assert.ok(sensor.counters(BULK).unwatched > before);
    for (const call of ['mmap-data', 'mprotect-data']) assert.deepEqual(await get(call), []);
  });

  test('a just-in-time compiler is reported once a second', async () => {
    const before = sensor.counters(BULK).merged;
    const records = await get('mprotect', '', 5000);
    const counted = records.reduce((sum, { fields }) => sum + Number(fields['count']), 0);
    const merged = Number(sensor.counters(BULK).merged - before);
    assert.ok(records.length >= 1 && records.length < 50, `${records.length} records`);
    assert.ok(records.length + merged >= 5000 && counted <= 5000, `${counted} of 5000 reported, ${merged} merged`);
  });
});
