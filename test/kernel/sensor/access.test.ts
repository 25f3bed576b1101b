import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { recordOf, recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';

const PTRACE = 1;
const READV = 2;
const WRITEV = 3;
const GETFD = 4;
const MEM = 5;
const ENVIRON = 6;
const TRACEME = 0;
const POKEDATA = 5;
const SETREGS = 13;
const ATTACH = 16;
const SEIZE = 0x4206;
const EPERM = -1;
const ESRCH = -3;
const EBADF = -9;
const EACCES = -13;

describe('one process looking into another, on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    chmodSync(scratch.path, 0o755);
    program = scratch.compile('access');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  interface Looked {
    readonly records: SensorRecord[];
    readonly target: { readonly target_tgid: number; readonly target_start: bigint };
    /** of the word that is read and written */
    readonly word: bigint;
    readonly caller: number;
  }

  async function look(who: string, ...calls: string[]): Promise<Looked> {
    const child = spawn(program, [who, ...calls], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const records = sensor.familyOf(child);
    const [caller, looked] = recordsOf(records, 'rf_fork');
    assert.ok(caller);
    const { tgid, start } = (looked ?? caller).header;
    return {
      records: recordsOf(records, 'rf_process_access'),
      target: { target_tgid: tgid, target_start: start },
      word: BigInt(output.trim()),
      caller: caller.header.tgid,
    };
  }

  const nowhere = { address: 0n, length: 0n, request: 0, count: 1 };

  test('a tracer that takes hold of a process and changes it is reported, what it reads is not', async () => {
    const { records, target, word, caller } = await look('child', 'attach', 'peek', 'poke', 'setregs');
    for (const { lane, header } of records) assert.deepEqual([lane, header.tgid], [SECURITY, caller]);
    const common = { ...target, ...nowhere, operation: PTRACE, result: 0 };
    assert.deepEqual(
      records.map(({ fields }) => fields),
      [
        { ...common, request: ATTACH },
        { ...common, request: POKEDATA, address: word },
        { ...common, request: SETREGS },
      ],
    );
    assert.equal(recordOf((await look('child', 'seize')).records, 'rf_process_access').fields['request'], SEIZE);
  });

  test('a process that lets its parent trace it is its own target', async () => {
    const { records } = await look('child', 'traceme');
    const { header, fields } = recordOf(records, 'rf_process_access');
    const { tgid: target_tgid, start: target_start } = header;
    assert.deepEqual(fields, { ...nowhere, target_tgid, target_start, operation: PTRACE, request: TRACEME, result: 0 });
  });

  test('memory of another process that is read or written at once', async () => {
    for (const [call, operation] of [
      ['readv', READV],
      ['writev', WRITEV],
    ] as const) {
      const { records, target, word } = await look('child', call);
      const expected = { ...nowhere, ...target, operation, address: word, length: 8n, result: 8 };
      assert.deepEqual(recordOf(records, 'rf_process_access').fields, expected);
      assert.deepEqual((await look('self', call)).records, [], 'its own memory');
    }
  });

  test("a copy of another process's descriptor", async () => {
    const { records, target } = await look('child', 'getfd', 'getfd-missing');
    const [copied, missing] = records.map(({ fields }) => fields);
    const { result, ...fields } = copied ?? {};
    assert.ok(Number(result) > 2);
    assert.deepEqual(fields, { ...nowhere, ...target, operation: GETFD });
    assert.deepEqual(missing, { ...nowhere, ...target, operation: GETFD, request: 1000, result: EBADF });
  });

  test('opens of memory and environment in /proc, whether or not opens to read are wanted', async () => {
    sensor.control({ watched_heads: [0, 0], nothing_named: 1 });
    for (const [call, operation] of [
      ['mem', MEM],
      ['environ', ENVIRON],
    ] as const) {
      const { records, target } = await look('child', call, 'status');
      const { result, request, ...fields } = recordOf(records, 'rf_process_access').fields;
      assert.ok(Number(result) > 2);
      assert.equal(Number(request) & 3, 0);
      assert.deepEqual(fields, { ...target, address: 0n, length: 0n, count: 1, operation });
      assert.deepEqual((await look('self', call)).records, [], 'its own');
    }
    sensor.control({});
  });

  test('what is refused is reported with its error', async () => {
    const calls = ['attach', 'readv', 'writev', 'getfd', 'mem', 'environ'];
    const { records, target, word } = await look('refused', ...calls);
    const there = { address: word, length: 8n };
    const common = { ...nowhere, ...target, result: EPERM };
    assert.deepEqual(
      records.map(({ fields }) => fields),
      [
        { ...common, operation: PTRACE, request: ATTACH },
        { ...common, ...there, operation: READV },
        { ...common, ...there, operation: WRITEV },
        { ...common, operation: GETFD },
        { ...common, operation: MEM, result: EACCES },
        { ...common, operation: ENVIRON, result: EACCES },
      ],
    );
  });

  test('a process that is gone is no target', async () => {
    const { records } = await look('missing', 'attach', 'readv', 'getfd');
    const seen = records.map(({ fields }) => [fields['operation'], fields['target_tgid'], fields['result']]);
    assert.deepEqual(seen, [
      [PTRACE, 0, ESRCH],
      [READV, 0, ESRCH],
      [GETFD, 0, ESRCH],
    ]);
  });

  test('equal looks in a row are merged', async () => {
    const { records } = await look('child', ...Array<string>(50).fill('readv'));
    assert.ok(records.length >= 1 && records.length < 10, `${records.length} records`);
  });

  test('a process in a pid namespace of its own names its target by a number of that namespace', async () => {
    const child = spawn('unshare', ['--pid', '--fork', program, 'child', 'attach'], { stdio: 'ignore' });
    await once(child, 'close');
    const records = sensor.familyOf(child);
    const { target_tgid, target_start } = recordOf(records, 'rf_process_access').fields;
    const target = recordsOf(records, 'rf_fork').at(-1)?.header;
    assert.deepEqual({ target_tgid, target_start }, { target_tgid: target?.tgid, target_start: target?.start });
  });
});
