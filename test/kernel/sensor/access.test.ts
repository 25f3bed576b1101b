import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import {
  lastOf,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';

const { EPERM, ESRCH, EBADF, EACCES } = constants.errno;
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

describe('access to other processes on the running kernel', { skip }, () => {
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

  interface Access {
    readonly records: SensorRecord[];
    readonly target: { readonly target_tgid: number; readonly target_start: bigint };
    /** address of the word that is read and written */
    readonly word: bigint;
    readonly caller: number;
  }

  async function access(target: string, ...calls: string[]): Promise<Access> {
    const child = spawn(program, [target, ...calls], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const records = sensor.familyOf(child);
    const [caller, forked] = recordsOf(records, 'rf_fork');
    assert.ok(caller);
    const { tgid, start } = (forked ?? caller).header;
    return {
      records: recordsOf(records, 'rf_process_access'),
      target: { target_tgid: tgid, target_start: start },
      word: BigInt(output.trim()),
      caller: caller.header.tgid,
    };
  }

  const nowhere = { address: 0n, length: 0n, request: 0, count: 1 };

  test('ptrace requests that attach to a process or change it are reported, requests that read are not', async () => {
    const { records, target, word, caller } = await access('child', 'attach', 'peek', 'poke', 'setregs');
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
    assert.equal(recordOf((await access('child', 'seize')).records, 'rf_process_access').fields['request'], SEIZE);
  });

  test('PTRACE_TRACEME reports the calling process as the target', async () => {
    const { records } = await access('child', 'traceme');
    const { header, fields } = recordOf(records, 'rf_process_access');
    const { tgid: target_tgid, start: target_start } = header;
    assert.deepEqual(fields, { ...nowhere, target_tgid, target_start, operation: PTRACE, request: TRACEME, result: 0 });
  });

  test('process_vm_readv and process_vm_writev on another process are reported', async () => {
    for (const [call, operation] of [
      ['readv', READV],
      ['writev', WRITEV],
    ] as const) {
      const { records, target, word } = await access('child', call);
      const expected = { ...nowhere, ...target, operation, address: word, length: 8n, result: 8 };
      assert.deepEqual(recordOf(records, 'rf_process_access').fields, expected);
      assert.deepEqual((await access('self', call)).records, [], 'access to its own memory is not reported');
    }
  });

  test("a copy of another process's file descriptor is reported", async () => {
    const { records, target } = await access('child', 'getfd', 'getfd-missing');
    const [copied, missing] = records.map(({ fields }) => fields);
    const { result, ...fields } = copied ?? {};
    assert.ok(Number(result) > 2);
    assert.deepEqual(fields, { ...nowhere, ...target, operation: GETFD });
    assert.deepEqual(missing, { ...nowhere, ...target, operation: GETFD, request: 1000, result: -EBADF });
  });

  test('opens of /proc/PID/mem and /proc/PID/environ are reported even when opens for reading are filtered out', async () => {
    sensor.control({ watched_heads: [0, 0], nothing_named: 1 });
    for (const [call, operation] of [
      ['mem', MEM],
      ['environ', ENVIRON],
    ] as const) {
      const { records, target } = await access('child', call, 'status');
      const { result, request, ...fields } = recordOf(records, 'rf_process_access').fields;
      assert.ok(Number(result) > 2);
      assert.equal(Number(request) & 3, 0);
      assert.deepEqual(fields, { ...target, address: 0n, length: 0n, count: 1, operation });
      assert.deepEqual((await access('self', call)).records, [], 'a process opened its own files');
    }
    sensor.control({});
  });

  test('a refused access is reported with its error', async () => {
    const calls = ['attach', 'readv', 'writev', 'getfd', 'mem', 'environ'];
    const { records, target, word } = await access('refused', ...calls);
    const there = { address: word, length: 8n };
    const common = { ...nowhere, ...target, result: -EPERM };
    assert.deepEqual(
      records.map(({ fields }) => fields),
      [
        { ...common, operation: PTRACE, request: ATTACH },
        { ...common, ...there, operation: READV },
        { ...common, ...there, operation: WRITEV },
        { ...common, operation: GETFD },
        { ...common, operation: MEM, result: -EACCES },
        { ...common, operation: ENVIRON, result: -EACCES },
      ],
    );
  });

  test('an access to a process that does not exist has no target', async () => {
    const { records } = await access('missing', 'attach', 'readv', 'getfd');
    const seen = records.map(({ fields }) => [fields['operation'], fields['target_tgid'], fields['result']]);
    assert.deepEqual(seen, [
      [PTRACE, 0, -ESRCH],
      [READV, 0, -ESRCH],
      [GETFD, 0, -ESRCH],
    ]);
  });

  test('equal accesses in a row are merged', async () => {
    const { records } = await access('child', ...Array<string>(50).fill('readv'));
    assert.ok(records.length >= 1 && records.length < 10, `${records.length} records`);
  });

  test('a process in a pid namespace identifies its target by the number in that namespace', async () => {
    const child = spawn('unshare', ['--pid', '--fork', program, 'child', 'attach'], { stdio: 'ignore' });
    await once(child, 'close');
    const records = sensor.familyOf(child);
    const { target_tgid, target_start } = recordOf(records, 'rf_process_access').fields;
    const target = lastOf(records, 'rf_fork', 3).header;
    assert.deepEqual({ target_tgid, target_start }, { target_tgid: target.tgid, target_start: target.start });
  });
});
