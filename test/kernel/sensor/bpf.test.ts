import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import type { SensorRecord } from '@ringfence/testkit/sensor';
import { callerUnlessFull, cgroup2, recordsOf, Scratch, SECURITY, skip, TestSensor } from '@ringfence/testkit/sensor';

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
const EINVAL = -22;
const ENOENT = -2;
const EBADF = -9;
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

describe('the system call bpf, on the running kernel', {
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

  /** Type and name of what a call was about, and whose copies they are. */
  const what = (call: Call | undefined): unknown[] => [call?.type, call?.name, call?.caller];

  test('a program that is loaded is told by the kernel, one that is refused by its caller', () => {
    const [filter, bad, connect, tracepoint, ...others] = calls(COMMAND.PROG_LOAD);
    assert.deepEqual(what(filter), [SOCKET_FILTER, 'rf_filter', 0]);
    assert.deepEqual(what(bad), [SOCKET_FILTER, 'rf_bad', caller]);
    assert.deepEqual(what(connect), [CGROUP_SOCK_ADDR, 'rf_cgroup', 0]);
    assert.deepEqual(what(tracepoint), [RAW_TRACEPOINT, 'rf_tp', 0]);
    assert.equal(connect?.attach, INET4_CONNECT);
    for (const loaded of [filter, connect, tracepoint]) assert.ok((loaded?.result ?? -1) >= 0 && (loaded?.id ?? 0) > 0);
    assert.deepEqual([bad?.result, bad?.id], [EINVAL, 0]);
    assert.deepEqual(others, []);
  });

  test('so is a map', () => {
    const [map, none, ...others] = calls(COMMAND.MAP_CREATE);
    assert.deepEqual(what(map), [ARRAY, 'rf_map', 0]);
    assert.ok((map?.result ?? -1) >= 0 && (map?.id ?? 0) > 0);
    assert.deepEqual([...what(none), none?.result], [ARRAY, 'rf_no_map', caller, EINVAL]);
    assert.deepEqual(others, []);
  });

  test('pinning and fetching are told with their path', () => {
    const [pinned, ...more] = calls(COMMAND.OBJ_PIN);
    assert.deepEqual([pinned?.name, pinned?.result, pinned?.caller], [pin, 0, 1]);
    const [got, missing, ...others] = calls(COMMAND.OBJ_GET);
    assert.equal(got?.name, pin);
    assert.ok((got?.result ?? -1) >= 0);
    assert.deepEqual([missing?.name, missing?.result], ['/rf-none/pin', ENOENT]);
    assert.deepEqual([...more, ...others], []);
  });

  test('attaching and detaching by cgroup, and what does not fit there', () => {
    const [attached, misfit, ...more] = calls(COMMAND.PROG_ATTACH);
    assert.deepEqual([...what(attached), attached?.result], [CGROUP_SOCK_ADDR, 'rf_cgroup', 1, 0]);
    assert.deepEqual([attached?.attach, attached?.flags], [INET4_CONNECT, ALLOW_MULTI]);
    assert.deepEqual([misfit?.attach, misfit?.result], [INET4_CONNECT, EINVAL]);
    const [detached, ...others] = calls(COMMAND.PROG_DETACH);
    assert.deepEqual([detached?.attach, detached?.result], [INET4_CONNECT, 0]);
    assert.deepEqual([...more, ...others], []);
  });

  test('links that are made, and the commands on links that do not exist', () => {
    const [made, misfit, ...others] = calls(COMMAND.LINK_CREATE);
    assert.deepEqual([...what(made), made?.attach], [CGROUP_SOCK_ADDR, 'rf_cgroup', 1, INET4_CONNECT]);
    assert.ok((made?.result ?? -1) >= 0);
    assert.deepEqual([misfit?.attach, misfit?.result], [INET4_CONNECT, EINVAL]);
    assert.deepEqual(others, []);
    for (const command of [COMMAND.LINK_UPDATE, COMMAND.LINK_DETACH])
      assert.deepEqual(
        calls(command).map(({ result }) => result),
        [EBADF],
      );
  });

  test('a raw tracepoint is told by its name', () => {
    const [opened, missing, ...others] = calls(COMMAND.RAW_TRACEPOINT_OPEN);
    assert.equal(opened?.name, 'sched_process_exit');
    assert.ok((opened?.result ?? -1) >= 0);
    assert.deepEqual([missing?.name, missing?.result], ['rf_none', ENOENT]);
    assert.deepEqual(others, []);
  });

  test('reading and writing maps stays in the kernel, counted', () => {
    const reported = new Set<unknown>(Object.values(COMMAND));
    assert.deepEqual(
      records.filter(({ fields }) => !reported.has(fields['command'])),
      [],
    );
    assert.ok(unwatched >= 3n);
  });
});
