/**
 * Failed forks, execs and credential changes are events of a separate type: the types of successful calls don't report
 * them.
 */

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { wantOf } from '@ringfence/interest';
import {
  groupIds,
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { records, UNSET_ID, type Want } from '@ringfence/wire';

const { EPERM, ENOENT, E2BIG, ENOEXEC, EAGAIN, EACCES, EFAULT, ENOTDIR, ENAMETOOLONG } = constants.errno;
const FORK = 1;
const EXEC = 2;
const CREDENTIALS = 3;
/** enum rf_attempt_call */
const CALL = {
  fork: 1,
  vfork: 2,
  clone: 3,
  clone3: 4,
  execve: 5,
  execveat: 6,
  capset: 7,
  setuid: 8,
  setgroups: 16,
} as const;
const { AT_EMPTY_PATH } = records.AtFlag;
const CLONE_THREAD = 0x1_0000n;
const NEW_UTS_AND_PID = 0x2400_0000n;
const CAP_CHOWN = 1n;
const CAP_SETUID = 1n << 7n;
const CAP_SYS_ADMIN = 1n << 21n;
const CAP_BPF = 1n << 39n;
const { ATTEMPT_ARGV_MAX } = records.Limit;
const UNCHANGED = BigInt(UNSET_ID);
const nobody = { uid: 65534, gid: 65534 };
/** the system calls of this architecture */
const forks =
  process.arch === 'arm64' ? (['clone', 'clone3'] as const) : (['fork', 'vfork', 'clone', 'clone3'] as const);

const text = (record: SensorRecord | undefined, name: string): string | undefined =>
  record?.texts[name]?.bytes.toString('latin1');

describe('failed attempts on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  let credentials: string;
  before(async () => {
    scratch = new Scratch();
    chmodSync(scratch.path, 0o755);
    program = scratch.compile('attempt');
    credentials = scratch.compile('credentials');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function attempts(args: readonly string[], options = {}): Promise<SensorRecord[]> {
    const records = recordsOf(await sensor.run(program, args, options), 'rf_attempt');
    for (const { lane } of records) assert.equal(lane, SECURITY);
    return records;
  }

  function file(name: string, content: string, mode: number): string {
    const path = join(scratch.path, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  test('a failed exec is reported with its path, its arguments and its error', async () => {
    const plain = file('plain', '#!/bin/sh\n', 0o644);
    const garbage = file('garbage', '\u0001\u0002 nothing', 0o755);
    const orphan = file('orphan', '#!/no/such/interpreter\n', 0o755);
    const missing = join(scratch.path, 'missing');
    const cases = [
      [missing, -ENOENT],
      [plain, -EACCES],
      [`${plain}/below`, -ENOTDIR],
      [garbage, -ENOEXEC],
      [orphan, -ENOENT],
      [scratch.path, -EACCES],
    ] as const;
    const records = await sensor.run(program, ['exec', ...cases.map(([path]) => path)]);
    const failed = recordsOf(records, 'rf_attempt');
    assert.equal(failed.length, cases.length);
    const exec = recordOf(records, 'rf_exec');
    for (const [index, [path, result]] of cases.entries()) {
      const { fields, header } = failed[index] ?? assert.fail(path);
      const none = { first: 0n, second: 0n, third: 0n, count: 1, argv_cut: 0 };
      assert.deepEqual(fields, { ...none, operation: EXEC, call: CALL.execve, result, source_caller: 1 });
      assert.deepEqual([text(failed[index], 'path'), text(failed[index], 'argv')], [path, `${path}\0one\0two words`]);
      assert.deepEqual(
        [header.exec_id, header.tgid],
        [exec.header.exec_id, exec.header.tgid],
        'the failed exec did not change the process',
      );
    }
  });

  test('a path that is too long is cut at its end', async () => {
    const [long] = await attempts(['exec', `/${'p'.repeat(5000)}`]);
    const kept = `/${'p'.repeat(4094)}`;
    assert.deepEqual([long?.fields['result'], text(long, 'path') === kept], [-ENAMETOOLONG, true]);
    assert.deepEqual([long?.texts['argv']?.bytes.length, text(long, 'argv') === kept], [kept.length, true]);
    assert.equal(long?.fields['argv_cut'], 1);
  });

  test('a path is made absolute: relative to the current directory or a descriptor, or it is the path of the descriptor', async () => {
    const plain = file('relative', 'x', 0o644);
    const [relative] = await attempts(['exec', './relative'], { cwd: scratch.path });
    assert.equal(text(relative, 'path'), `${scratch.path}/./relative`);
    const [below] = await attempts(['execat', scratch.path, 'relative', '0']);
    assert.deepEqual(
      [below?.fields['call'], text(below, 'path'), text(below, 'argv')],
      [CALL.execveat, plain, 'called'],
    );
    const [itself] = await attempts(['execat', plain, '', String(AT_EMPTY_PATH)]);
    assert.deepEqual([itself?.fields['result'], text(itself, 'path')], [-EACCES, plain]);
  });

  test('more than 2 MiB of arguments are refused and reported with the first 4 KiB, marked as cut', async () => {
    const path = join(scratch.path, 'attempt');
    const [huge] = await attempts(['exec-huge', path]);
    const head = `${path}\0short\0`;
    assert.deepEqual([huge?.fields['result'], huge?.fields['argv_cut']], [-E2BIG, 1]);
    assert.equal(text(huge, 'argv'), head.padEnd(ATTEMPT_ARGV_MAX, 'x'));
    assert.ok((huge?.texts['argv']?.length ?? 0) > ATTEMPT_ARGV_MAX);
    const [most] = await attempts(['exec-many', '/nowhere/x', '255']);
    assert.deepEqual([most?.fields['argv_cut'], text(most, 'argv')], [0, Array(255).fill('w').join('\0')]);
    const [more] = await attempts(['exec-many', '/nowhere/x', '257']);
    assert.deepEqual([more?.fields['argv_cut'], text(more, 'argv')], [1, Array(256).fill('w').join('\0')]);
    const [none] = await attempts(['exec-many', '/nowhere/x', '0']);
    assert.deepEqual([none?.fields['argv_cut'], text(none, 'argv')], [0, '']);
  });

  test('unreadable memory is omitted and counted', async () => {
    const before = sensor.counters(SECURITY).read_fault;
    const [arguments_, path] = await attempts(['exec-fault', program]);
    assert.deepEqual([arguments_?.fields['result'], text(arguments_, 'path')], [-EFAULT, program]);
    assert.deepEqual([arguments_?.fields['argv_cut'], text(arguments_, 'argv')], [1, '']);
    assert.deepEqual([path?.fields['result'], text(path, 'path')], [-EFAULT, '']);
    assert.equal(sensor.counters(SECURITY).read_fault - before, 2n);
  });

  test('a search in PATH is reported path by path, and equal attempts in a row are merged with a count', async () => {
    const paths = ['/usr/local/bin/rf-none', '/usr/bin/rf-none', '/bin/rf-none'];
    const found = await attempts(['exec', ...paths]);
    assert.deepEqual(
      found.map((record) => text(record, 'path')),
      paths,
    );
    const merged = sensor.counters(SECURITY).merged;
    const same = await attempts(['exec', ...Array<string>(50).fill('/bin/rf-none')]);
    const sum = same.reduce((total, { fields }) => total + Number(fields['count']), 0);
    assert.ok(same.length < 10, `${same.length} records`);
    assert.ok(sensor.counters(SECURITY).merged - merged >= 50n - BigInt(same.length) && sum <= 50);
  });

  test('a fork that exceeds a limit is reported for every system call, threads included', async () => {
    const failed = await attempts(['limited', ...forks, 'thread'], nobody);
    const calls = failed.map(({ fields }) => [fields['operation'], fields['call'], fields['result'], fields['first']]);
    const flags = { fork: 0n, vfork: 0x4100n, clone: 0n, clone3: 0n };
    assert.deepEqual(
      calls.slice(0, -1),
      forks.map((call) => [FORK, CALL[call], -EAGAIN, flags[call]]),
    );
    const [operation, call, result, thread] = calls.at(-1) ?? [];
    assert.deepEqual([operation, result], [FORK, -EAGAIN]);
    assert.ok(
      call === CALL.clone3 || call === CALL.clone,
      'which system call creates a thread depends on the C library',
    );
    assert.ok((thread as bigint) & CLONE_THREAD);
    const sources = failed.map(({ fields }) => [fields['call'], fields['source_caller']]);
    assert.ok(sources.every(([number, caller]) => caller === Number(number === CALL.clone3)));
  });

  test('a refused fork into new namespaces is reported with the namespace flags', async () => {
    const failed = await attempts(['namespaces', 'clone', 'clone3'], nobody);
    assert.deepEqual(
      failed.map(({ fields }) => [fields['call'], fields['result'], fields['first']]),
      [
        [CALL.clone, -EPERM, NEW_UTS_AND_PID],
        [CALL.clone3, -EPERM, NEW_UTS_AND_PID],
      ],
    );
  });

  test('a burst of forks at the limit is merged and counted', async () => {
    const before = sensor.counters(SECURITY).merged;
    const records = await sensor.run(program, ['storm', '3000'], nobody);
    const failed = recordsOf(records, 'rf_attempt');
    assert.equal(recordOf(records, 'rf_exit').fields['code'], 0, 'a fork succeeded');
    assert.ok(failed.length >= 1 && failed.length < 10, `${failed.length} records`);
    // The counter includes concurrent failed attempts of unrelated processes.
    const merged = Number(sensor.counters(SECURITY).merged - before);
    assert.ok(merged >= 3000 - failed.length && merged < 6000 - failed.length, `${merged} attempts were merged`);
    const sum = failed.reduce((total, { fields }) => total + Number(fields['count']), 0);
    assert.ok(sum >= failed.length && sum <= 3000, `the counts of the records add up to ${sum}`);
  });

  test('a fork that restarts after a signal is not reported as failed', async () => {
    const records = await sensor.run(program, ['interrupted', '300']);
    assert.deepEqual(
      recordsOf(records, 'rf_attempt').map(({ fields }) => fields),
      [],
    );
    assert.equal(recordsOf(records, 'rf_fork').length, 301);
  });

  async function refused(...calls: string[]): Promise<unknown[][]> {
    const records = await sensor.run(credentials, calls, nobody);
    const failed = recordsOf(records, 'rf_attempt');
    const changes = records.slice(records.findIndex(({ type }) => type === 'rf_exec'));
    assert.deepEqual(recordsOf(changes, 'rf_credentials_change'), []);
    assert.ok(failed.every(({ fields }) => fields['operation'] === CREDENTIALS && fields['count'] === 1));
    return failed.map(({ fields }) => [
      ...[fields['call'], fields['result'], fields['source_caller']],
      ...[fields['first'], fields['second'], fields['third']],
    ]);
  }

  test('a refused user or group id is reported for every system call', async () => {
    const calls = ['root', 'setgid', 'setfsuid', 'setfsgid', 'setreuid', 'setregid', 'setresuid', 'setresgid'];
    assert.deepEqual(await refused(...calls), [
      [8, -EPERM, 0, 0n, UNCHANGED, UNCHANGED],
      [9, -EPERM, 0, 8n, UNCHANGED, UNCHANGED],
      [10, -EPERM, 0, 12n, UNCHANGED, UNCHANGED],
      [11, -EPERM, 0, 11n, UNCHANGED, UNCHANGED],
      [12, -EPERM, 0, 0n, 13n, UNCHANGED],
      [13, -EPERM, 0, 9n, 10n, UNCHANGED],
      [14, -EPERM, 0, 14n, 15n, 0n],
      [15, -EPERM, 0, 5n, 6n, 7n],
    ]);
    assert.deepEqual(
      await refused('same', 'fs-asked', 'fs-own'),
      [],
      'setting an id that the process already has, or querying it, was reported',
    );
  });

  test('refused capabilities are reported', async () => {
    const [permitted, lower] = [CAP_SYS_ADMIN | CAP_SETUID | CAP_BPF, CAP_SYS_ADMIN | CAP_SETUID];
    assert.deepEqual(await refused('raise', 'raise-old', 'capset-fault'), [
      [CALL.capset, -EPERM, 1, CAP_SYS_ADMIN, permitted, CAP_CHOWN],
      [CALL.capset, -EPERM, 1, CAP_SYS_ADMIN, lower, CAP_CHOWN],
      [CALL.capset, -EFAULT, 1, 0n, 0n, 0n],
    ]);
  });

  test('refused supplementary groups are reported', async () => {
    const calls = ['groups', 'groups-none', 'groups-fault', 'groups-too-many'];
    const failed = recordsOf(await sensor.run(credentials, calls, nobody), 'rf_attempt');
    assert.deepEqual(
      failed.map(({ fields, texts: { groups } }) => [
        ...[fields['call'], fields['result'], fields['source_caller'], fields['first']],
        ...[groupIds(groups), groups?.length],
      ]),
      [
        [CALL.setgroups, -EPERM, 1, 3n, [1000, 999, 998], 12],
        [CALL.setgroups, -EPERM, 1, 0n, [], 0],
        [CALL.setgroups, -EPERM, 1, 0xffff_ffffn, [], 0],
      ],
    );
    const byRoot = recordOf(await sensor.run(credentials, ['groups-fault']), 'rf_attempt');
    assert.deepEqual([byRoot.fields['result'], byRoot.texts['groups']?.length], [-EFAULT, 12]);
  });

  test('successful calls are not reported', async () => {
    const records = await sensor.run('/bin/sh', ['-c', `${program} none ${forks.join(' ')} thread; :`]);
    const byRoot = await sensor.run(credentials, ['setgid', 'setfsuid', 'setfsgid', 'setresuid']);
    const without = await sensor.run(credentials, ['capset']);
    assert.deepEqual(recordsOf([...records, ...byRoot, ...without], 'rf_attempt'), []);
    assert.equal(recordsOf([...byRoot, ...without], 'rf_credentials_change').length, 5);
    assert.equal(recordsOf(records, 'rf_fork').length, 2 + forks.length);
  });

  test('each form of attempt is sent only if an interest includes it, and counted otherwise', async () => {
    const { interests } = sensor.filter;
    const want = (name: string): Want => wantOf(name) ?? assert.fail(name);
    const plain = file('unwanted', 'x', 0o644);
    const provoke = async (): Promise<string[]> => {
      const records = [
        ...(await attempts(['exec', '/nowhere/x', `${plain}/x`, plain])),
        ...(await attempts(['limited', 'clone'], nobody)),
        ...recordsOf(await sensor.run(credentials, ['root'], nobody), 'rf_attempt'),
      ];
      return records.map(({ fields }) => `${fields['operation']} ${fields['result']}`);
    };
    const forms = {
      'attempt.exec-not-found': [`${EXEC} ${-ENOENT}`, `${EXEC} ${-ENOTDIR}`],
      'attempt.exec': [`${EXEC} ${-EACCES}`],
      'attempt.fork': [`${FORK} ${-EAGAIN}`],
      'attempt.credentials': [`${CREDENTIALS} ${-EPERM}`],
    };
    let version = 0;
    for (const [name, expected] of Object.entries(forms)) {
      const before = sensor.counters(SECURITY).unwatched;
      assert.ok(interests.set([want(name)], ++version));
      assert.deepEqual(await provoke(), expected, name);
      assert.ok(sensor.counters(SECURITY).unwatched - before >= BigInt(5 - expected.length));
    }
    assert.ok(interests.set([want('attempt')], ++version));
    assert.deepEqual(await provoke(), Object.values(forms).flat());
    assert.ok(interests.set(null, ++version));
  });
});
