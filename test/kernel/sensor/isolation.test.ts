import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { constants } from 'node:os';
import { after, before, describe, test } from 'node:test';
import {
  recordOf,
  recordsOf,
  Scratch,
  SECURITY,
  type SensorRecord,
  skip,
  skipUserNamespaces,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { namespaces } from './expect.ts';

const { EPERM, EBADF, EFAULT, EINVAL } = constants.errno;
const SETNS = 1;
const UNSHARE = 2;
const PRCTL = 3;
const SECCOMP = 4;
const PERSONALITY = 5;
const CLONE_NEWUTS = 0x0400_0000n;
const CLONE_NEWNET = 0x4000_0000n;
const ADDR_NO_RANDOMIZE = 0x40000n;

describe("changes of a thread's isolation on the running kernel", { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    chmodSync(scratch.path, 0o755);
    program = scratch.compile('isolation');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function change(...calls: string[]): Promise<SensorRecord[]> {
    const records = recordsOf(await sensor.run(program, calls), 'rf_isolation');
    for (const { lane } of records) assert.equal(lane, SECURITY);
    return records;
  }

  type Summary = [operation: unknown, option: unknown, argument: unknown, result: unknown];
  const summaries = (records: readonly SensorRecord[]): Summary[] =>
    records.map(({ fields }) => [fields['operation'], fields['option'], fields['argument'], fields['result']]);

  test('a new namespace is reported with the namespaces after the call', async () => {
    const { header, fields } = recordOf(await change('unshare-uts'), 'rf_isolation');
    const { uts, ...unchanged } = fields['namespaces'] as ReturnType<typeof namespaces>;
    const { uts: before, ...same } = namespaces();
    assert.notEqual(uts, before);
    assert.deepEqual(unchanged, { ...same, pid_in_ns: header.tgid });
    const { namespaces: _, before: credentials, after, ...rest } = fields;
    assert.deepEqual(credentials, after, 'a new uts namespace changes no credentials');
    assert.deepEqual(rest, { option: CLONE_NEWUTS, argument: 0n, operation: UNSHARE, result: 0, count: 1 });
  });

  test('a new user namespace is reported with the credentials before and after, and then their change', {
    skip: skipUserNamespaces,
  }, async () => {
    const options = { uid: 65534, gid: 65534 };
    const records = await sensor.run('unshare', ['--user', 'true'], options);
    const { before, after } = recordOf(records, 'rf_isolation').fields as Record<string, Record<string, bigint>>;
    assert.deepEqual([before?.['uid'], before?.['cap_effective'], before?.['cap_permitted']], [65534, 0n, 0n]);
    assert.equal(after?.['uid'], 65534);
    assert.ok(after?.['cap_effective'] !== 0n && after?.['cap_permitted'] === after?.['cap_effective']);
    const types = records.map(({ type }) => type).filter((type) => /isolation|credentials/.test(type));
    const order = ['rf_isolation', 'rf_credentials_change'];
    assert.deepEqual(types.slice(-2), order, 'on the call the process has the credentials of before');
    const change = recordsOf(records, 'rf_credentials_change').at(-1)?.fields;
    assert.deepEqual([change?.['before'], change?.['after']], [before, after]);
  });

  test('unsharing anything but namespaces is not reported', async () => {
    assert.deepEqual(await change('unshare-files'), []);
  });

  test('entering a namespace is reported with its type, even if the call does not name it', async () => {
    assert.deepEqual(summaries(await change('setns-uts')), [[SETNS, CLONE_NEWUTS, 0n, 0]]);
    assert.deepEqual(summaries(await change('setns-any')), [[SETNS, CLONE_NEWUTS, 0n, 0]]);
  });

  test('a refused change of namespaces is reported with the error', async () => {
    assert.deepEqual(summaries(await change('unshare-wrong', 'setns-wrong')), [
      [UNSHARE, CLONE_NEWUTS | 1n, 0n, -EINVAL],
      [SETNS, CLONE_NEWNET, 0n, -EBADF],
    ]);
    const refused = recordsOf(await sensor.run(program, ['unshare-uts'], { uid: 65534, gid: 65534 }), 'rf_isolation');
    assert.deepEqual(summaries(refused), [[UNSHARE, CLONE_NEWUTS, 0n, -EPERM]]);
  });

  for (const [call, option, argument] of [
    ['dumpable', 4n, 0n],
    ['keepcaps', 8n, 1n],
    ['securebits', 28n, 1n],
    ['subreaper', 36n, 1n],
    ['no-new-privs', 38n, 1n],
    ['prctl-seccomp', 22n, 2n],
    ['ambient', 47n, 4n],
  ] as const)
    test(`prctl: ${call}`, async () => {
      assert.deepEqual(summaries(await change(call)), [[PRCTL, option, argument, 0]]);
    });

  test('prctl: PR_SET_PTRACER is reported, also on kernels without Yama', async () => {
    const [[operation, option, argument, result] = []] = summaries(await change('ptracer'));
    assert.deepEqual([operation, option, argument], [PRCTL, 0x59616d61n, 1n]);
    assert.ok(result === 0 || result === -EINVAL, 'without Yama: EINVAL');
  });

  test('a failed prctl is reported with the error', async () => {
    assert.deepEqual(summaries(await change('dumpable-wrong', 'no-new-privs-wrong')), [
      [PRCTL, 4n, 7n, -EINVAL],
      [PRCTL, 38n, 0n, -EINVAL],
    ]);
    const [[operation, option, argument, result] = []] = summaries(await change('mm-wrong'));
    assert.deepEqual([operation, option, argument], [PRCTL, 35n, 1000n]);
    assert.ok(result === -EINVAL || result === -EPERM, 'without CAP_SYS_RESOURCE: EPERM');
  });

  test("prctl calls that read a value or set a thread's name are not reported", async () => {
    assert.deepEqual(await change('name', 'dumpable-asked', 'ambient-asked'), []);
  });

  test('a seccomp filter is reported', async () => {
    assert.deepEqual(summaries(await change('seccomp', 'seccomp-wrong', 'seccomp-asked')), [
      [SECCOMP, 1n, 2n, 0],
      [SECCOMP, 1n, 0n, -EFAULT],
    ]);
  });

  test('a changed personality is reported with the old one; reading it and setting it again are not reported', async () => {
    assert.deepEqual(summaries(await change('personality', 'personality', 'personality-asked')), [
      [PERSONALITY, ADDR_NO_RANDOMIZE, 0n, 0],
    ]);
  });

  test('equal changes in a row are merged', async () => {
    const records = await change(...Array<string>(100).fill('subreaper'));
    assert.ok(records.length >= 1 && records.length < 10, `${records.length} records`);
  });

  test('a new user namespace is reported as isolation and as a credential change', {
    skip: skipUserNamespaces,
  }, async () => {
    const credentials = scratch.compile('credentials');
    const records = await sensor.run(credentials, ['unshare-user'], { uid: 65534, gid: 65534 });
    // Two BPF programs handle the same call. The kernel decides which runs first.
    const last = records.filter(({ type }) => /credentials|isolation/.test(type)).slice(-2);
    assert.equal(recordsOf(last, 'rf_credentials_change').length, 1);
    assert.deepEqual(summaries(recordsOf(last, 'rf_isolation')), [[UNSHARE, 0x1000_0000n, 0n, 0]]);
  });
});
