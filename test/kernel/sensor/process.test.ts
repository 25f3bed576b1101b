import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  cgroup2,
  execOf,
  lastOf,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { namespaces } from './expect.ts';

describe('fork and exit on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    chmodSync(scratch.path, 0o755);
    program = scratch.compile('terminate');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  test('a process has the same identity in its fork, exec and exit', async () => {
    // Node's child opens files before it executes the program.
    const records = (await sensor.run(program, ['code', '42'])).filter(({ type }) => type !== 'rf_open');
    assert.deepEqual(
      records.map(({ type }) => type),
      ['rf_fork', 'rf_exec', 'rf_exit'],
    );
    const [fork, exec, exit] = records;
    assert.ok(fork && exec && exit);
    const { tgid, start } = fork.header;
    const { flags: _, ...forkFields } = fork.fields;
    assert.deepEqual(forkFields, {
      parent_start: sensor.snapshot(process.pid)[0]?.header.start,
      parent_tgid: process.pid,
      count: 1,
      namespaces: { ...namespaces(), pid_in_ns: tgid },
    });
    for (const { header, lane } of records) {
      assert.equal(lane, SECURITY);
      assert.deepEqual([header.tgid, header.tid, header.start], [tgid, tgid, start]);
    }
    assert.equal(exec.header.exec_id, fork.header.exec_id + 1n);
    assert.equal(exit.header.exec_id, exec.header.exec_id);
    assert.ok(start <= fork.header.ktime && fork.header.ktime <= exec.header.ktime);
    assert.deepEqual(exit.fields, { duration: exit.header.ktime - start, code: 42, signal: 0, core: 0 });
  });

  test('an exit is reported with the signal that caused it', async () => {
    for (const [args, signal] of [
      [['signal', '9'], 9],
      [['signal', '15'], 15],
      [['abort', '0'], 6],
    ] as const) {
      const { code, signal: seen, core } = recordOf(await sensor.run(program, args), 'rf_exit').fields;
      assert.deepEqual({ code, seen, core }, { code: 0, seen: signal, core: 0 });
    }
  });

  test('a process with threads has one fork and one exit, when its last thread ends', async () => {
    const records = await sensor.run(program, ['leader-first', '7']);
    recordOf(records, 'rf_fork');
    const exit = recordOf(records, 'rf_exit');
    assert.equal(exit.fields['code'], 7);
    assert.notEqual(exit.header.tid, exit.header.tgid, 'the leader ended earlier');
  });

  test('threads that end at the same time cause one exit', async () => {
    for (let round = 0; round < 20; round++) {
      const exit = recordOf(await sensor.run(program, ['together', '16']), 'rf_exit');
      assert.equal(exit.fields['code'], 0);
    }
  });

  test('a grandchild is reported with its parent', async () => {
    const records = await sensor.run('/bin/sh', ['-c', `${program} code 1; ${program} code 2`]);
    const [shell, first, second] = recordsOf(records, 'rf_fork');
    assert.ok(shell && first && second);
    assert.deepEqual(
      [first.fields['parent_tgid'], first.fields['parent_start']],
      [shell.header.tgid, shell.header.start],
    );
    const exits = recordsOf(records, 'rf_exit').map(({ header, fields }) => [header.tgid, fields['code']]);
    assert.deepEqual(exits, [
      [first.header.tgid, 1],
      [second.header.tgid, 2],
      [shell.header.tgid, 2],
    ]);
  });

  test('a fork is reported with its clone flags, for every system call, without the exit signal', async () => {
    const clone = scratch.compile('clone');
    for (const [call, flags] of [
      ['fork', 0n],
      ['vfork', 0x4100n],
      ['clone', 0x0400_0000n],
      ['clone3', 0x0400_0000n],
    ] as const) {
      const records = await sensor.run(clone, [call]);
      const child = lastOf(records, 'rf_fork', 2);
      assert.equal(child.fields['flags'], flags, call);
      const { uts } = child.fields['namespaces'] as ReturnType<typeof namespaces>;
      assert.equal(uts !== namespaces()['uts'], flags === 0x0400_0000n);
    }
    const refused = await sensor.run(clone, ['clone'], { uid: 65534, gid: 65534 });
    assert.equal(recordsOf(refused, 'rf_fork').length, 1, 'a failed clone is reported as a fork');
  });

  test('a process in another cgroup is reported with the id of that cgroup', async () => {
    const group = join(cgroup2() ?? '', `rf-test-${process.pid}`);
    mkdirSync(group);
    try {
      const records = await sensor.run('/bin/sh', ['-c', `echo $$ > ${group}/cgroup.procs; ${program} code 0; :`]);
      const { header } = lastOf(records, 'rf_fork', 2);
      assert.equal(header.cgroup, statSync(group, { bigint: true }).ino);
      assert.equal(recordsOf(records, 'rf_exit')[0]?.header.cgroup, header.cgroup);
    } finally {
      rmdirSync(group);
    }
  });

  test('a process in a pid namespace is reported with both its pids', async () => {
    const records = await sensor.run('unshare', ['--pid', '--fork', '--mount', '--uts', program, 'code', '0']);
    const exec = execOf(records, program);
    const ns = exec.fields['namespaces'] as ReturnType<typeof namespaces>;
    const hostNamespaces = namespaces();
    assert.equal(ns['pid_in_ns'], 1);
    assert.notEqual(exec.header.tgid, 1);
    for (const changed of ['pid', 'mnt', 'uts']) assert.notEqual(ns[changed], hostNamespaces[changed], changed);
    for (const kept of ['net', 'ipc', 'user', 'cgroup']) assert.equal(ns[kept], hostNamespaces[kept], kept);
  });
});
