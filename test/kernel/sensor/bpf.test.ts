import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import {
  callerUnlessFull,
  cgroup2,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';

const { EINVAL, ENOENT, EBADF } = constants.errno;
const COMMAND = {
  MAP_CREATE: 0,
  PROG_LOAD: 5,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  PROG_ATTACH: 8,
  PROG_DETACH: 9,
  RAW_TRACEPOINT_OPEN: 17,
  LINK_CREATE: 28,
  LINK_UPDATE: 29,
  LINK_DETACH: 34,
} as const;
const SOCKET_FILTER = 1;
const RAW_TRACEPOINT = 17;
const CGROUP_SOCK_ADDR = 18;
const ARRAY = 2;
const INET4_CONNECT = 10;
const ALLOW_MULTI = 2;
const bpffs = '/sys/fs/bpf';

interface Call {
  readonly result: number;
  readonly type: number;
  readonly attach: number;
  readonly caller: number;
  readonly name: string;
  readonly id: number;
  readonly flags: number;
}

describe('the system call bpf on the running kernel', {
  skip: skip || (!isBpfFileSystem(bpffs) && `no bpf file system is mounted at ${bpffs}`),
}, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let records: SensorRecord[];
  let unwatched: bigint;
  let caller: 0 | 1;
  const pin = join(bpffs, `ringfence-test-${process.pid}`);
  const cgroup = join(cgroup2() ?? '', `ringfence-test-bpf-${process.pid}`);
  before(async () => {
    scratch = new Scratch();
    sensor = await TestSensor.start();
    caller = await callerUnlessFull();
    mkdirSync(cgroup);
    const before = sensor.counters(SECURITY).unwatched;
    records = recordsOf(await sensor.run(scratch.compile('bpf'), [pin, cgroup]), 'rf_bpf');
    unwatched = sensor.counters(SECURITY).unwatched - before;
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
    rmSync(pin, { force: true });
    rmdirSync(cgroup);
  });

  function calls(command: number): Call[] {
    return records
      .filter(({ fields }) => fields['command'] === command)
      .map(({ fields, texts, lane }) => {
        assert.equal(lane, SECURITY);
        return {
          result: fields['result'] as number,
          type: fields['program_type'] as number,
          attach: fields['attach_type'] as number,
          caller: fields['source_caller'] as number,
          name: texts['name']?.bytes.toString() ?? '',
          id: fields['id'] as number,
          flags: fields['flags'] as number,
        };
      });
  }

  /** Program type, program name and whether they were copied from the caller's memory. */
  const source = (call: Call | undefined): unknown[] => [call?.type, call?.name, call?.caller];

  test("a loaded program is reported with the kernel's values, a refused one with the caller's", () => {
    const [filter, bad, connect, tracepoint, ...rest] = calls(COMMAND.PROG_LOAD);
    assert.deepEqual(source(filter), [SOCKET_FILTER, 'rf_filter', 0]);
    assert.deepEqual(source(bad), [SOCKET_FILTER, 'rf_bad', caller]);
    assert.deepEqual(source(connect), [CGROUP_SOCK_ADDR, 'rf_cgroup', 0]);
    assert.deepEqual(source(tracepoint), [RAW_TRACEPOINT, 'rf_tp', 0]);
    assert.equal(connect?.attach, INET4_CONNECT);
    for (const loaded of [filter, connect, tracepoint]) assert.ok((loaded?.result ?? -1) >= 0 && (loaded?.id ?? 0) > 0);
    assert.deepEqual([bad?.result, bad?.id], [-EINVAL, 0]);
    assert.deepEqual(rest, []);
  });

  test("a created map is reported with the kernel's values, a refused one with the caller's", () => {
    const [map, none, ...rest] = calls(COMMAND.MAP_CREATE);
    assert.deepEqual(source(map), [ARRAY, 'rf_map', 0]);
    assert.ok((map?.result ?? -1) >= 0 && (map?.id ?? 0) > 0);
    assert.deepEqual([...source(none), none?.result], [ARRAY, 'rf_no_map', caller, -EINVAL]);
    assert.deepEqual(rest, []);
  });

  test('pinning and getting a pinned object are reported with the path', () => {
    const [pinned, ...more] = calls(COMMAND.OBJ_PIN);
    assert.deepEqual([pinned?.name, pinned?.result, pinned?.caller], [pin, 0, 1]);
    const [got, missing, ...rest] = calls(COMMAND.OBJ_GET);
    assert.equal(got?.name, pin);
    assert.ok((got?.result ?? -1) >= 0);
    assert.deepEqual([missing?.name, missing?.result], ['/rf-none/pin', -ENOENT]);
    assert.deepEqual([...more, ...rest], []);
  });

  test('attaching to a cgroup, detaching and a mismatched attach type are reported', () => {
    const [attached, misfit, ...more] = calls(COMMAND.PROG_ATTACH);
    assert.deepEqual([...source(attached), attached?.result], [CGROUP_SOCK_ADDR, 'rf_cgroup', 1, 0]);
    assert.deepEqual([attached?.attach, attached?.flags], [INET4_CONNECT, ALLOW_MULTI]);
    assert.deepEqual([misfit?.attach, misfit?.result], [INET4_CONNECT, -EINVAL]);
    const [detached, ...rest] = calls(COMMAND.PROG_DETACH);
    assert.deepEqual([detached?.attach, detached?.result], [INET4_CONNECT, 0]);
    assert.deepEqual([...more, ...rest], []);
  });

  test('created links are reported, and commands on links that do not exist', () => {
    const [made, misfit, ...rest] = calls(COMMAND.LINK_CREATE);
    assert.deepEqual([...source(made), made?.attach], [CGROUP_SOCK_ADDR, 'rf_cgroup', 1, INET4_CONNECT]);
    assert.ok((made?.result ?? -1) >= 0);
    assert.deepEqual([misfit?.attach, misfit?.result], [INET4_CONNECT, -EINVAL]);
    assert.deepEqual(rest, []);
    for (const command of [COMMAND.LINK_UPDATE, COMMAND.LINK_DETACH])
      assert.deepEqual(
        calls(command).map(({ result }) => result),
        [-EBADF],
      );
  });

  test('a raw tracepoint is reported with its name', () => {
    const [opened, missing, ...rest] = calls(COMMAND.RAW_TRACEPOINT_OPEN);
    assert.equal(opened?.name, 'sched_process_exit');
    assert.ok((opened?.result ?? -1) >= 0);
    assert.deepEqual([missing?.name, missing?.result], ['rf_none', -ENOENT]);
    assert.deepEqual(rest, []);
  });

  test('reading and writing maps is not sent, but counted', () => {
    const reported = new Set<unknown>(Object.values(COMMAND));
    assert.deepEqual(
      records.filter(({ fields }) => !reported.has(fields['command'])),
      [],
    );
    assert.ok(unwatched >= 3n);
  });
});
