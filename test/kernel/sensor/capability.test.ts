import assert from 'node:assert/strict';
import { execFileSync, type SpawnOptions } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  BULK,
  cgroup2,
  recordOf,
  recordsOf,
  Scratch,
  type SensorRecord,
  skip,
  skipUserNamespaces,
  TestSensor,
} from '@ringfence/testkit/sensor';
import { namespaces } from './expect.ts';

const { EPERM } = constants.errno;
const CAP_SYS_CHROOT = 18;
const CAP_SYS_ADMIN = 21;
const somebody = { uid: 65534, gid: 65534 };
const tracepoint = '/sys/kernel/tracing/events/capability/cap_capable';
const reason = skip || (existsSync(tracepoint) ? false : 'the kernel has no tracepoint cap_capable (6.14)');

describe('capability checks on the running kernel', { skip: reason }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let program: string;
  before(async () => {
    scratch = new Scratch();
    chmodSync(scratch.path, 0o755);
    program = scratch.compile('capability');
    sensor = await TestSensor.start();
  });
  after(() => {
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  async function ask(how: string, count: number, options: SpawnOptions = {}): Promise<SensorRecord[]> {
    return recordsOf(await sensor.run(program, [how, String(count)], options), 'rf_capability');
  }
  const chroots = (records: SensorRecord[]): SensorRecord[] =>
    records.filter(({ fields }) => fields['capability'] === CAP_SYS_CHROOT);

  test('a granted capability is reported', async () => {
    const record = recordOf(chroots(await ask('chroot', 1)), 'rf_capability');
    assert.equal(record.lane, BULK);
    const user_namespace = namespaces()['user'];
    assert.deepEqual(record.fields, { capability: CAP_SYS_CHROOT, result: 0, user_namespace, count: 1 });
  });

  test('a missing capability is reported', async () => {
    const record = recordOf(chroots(await ask('chroot', 1, somebody)), 'rf_capability');
    const user_namespace = namespaces()['user'];
    assert.deepEqual(record.fields, { capability: CAP_SYS_CHROOT, result: -EPERM, user_namespace, count: 1 });
  });

  test('a capability in a new user namespace is reported with that namespace', {
    skip: skipUserNamespaces,
  }, async () => {
    const record = recordOf(chroots(await ask('user-namespace', 1, somebody)), 'rf_capability');
    assert.equal(record.fields['result'], 0);
    assert.notEqual(record.fields['user_namespace'], namespaces()['user']);
  });

  test('granted checks of root are reported once, and the remaining checks are counted', async () => {
    const before = sensor.counters(BULK).merged;
    recordOf(chroots(await ask('chroot', 1000)), 'rf_capability');
    assert.ok(sensor.counters(BULK).merged - before >= 999n);
  });

  test('refused checks in a row are merged', async () => {
    const refused = chroots(await ask('chroot', 1000, somebody));
    assert.ok(refused.length >= 1 && refused.length < 20, `${refused.length} records`);
  });

  test('checks of CAP_SYS_ADMIN by memory accounting are not sent, but counted', async () => {
    const before = sensor.counters(BULK).unwatched;
    const records = await ask('chroot', 1, somebody);
    assert.deepEqual(
      records.filter(({ fields }) => fields['capability'] === CAP_SYS_ADMIN),
      [],
    );
    assert.ok(sensor.counters(BULK).unwatched > before);
  });

  test('the sensor remembers granted capabilities per cgroup, but no refused capabilities', async () => {
    const cgroup = mkdtempSync(join(cgroup2() ?? '', 'rf-capability-'));
    const used = (): bigint => {
      const mask = sensor.object.map('rf_used_caps').get(statSync(cgroup, { bigint: true }).ino);
      return (mask as bigint | undefined) ?? 0n;
    };
    const within = (command: string): void => {
      execFileSync('sh', ['-c', `echo $$ > ${cgroup}/cgroup.procs && ${command}`]);
    };
    try {
      within(`setpriv --reuid 65534 --clear-groups ${program} chroot 1`);
      assert.equal(used() & (1n << BigInt(CAP_SYS_CHROOT)), 0n);
      within(`${program} chroot 1`);
      assert.notEqual(used() & (1n << BigInt(CAP_SYS_CHROOT)), 0n);
    } finally {
      rmdirSync(cgroup);
    }
  });

  test("capabilities used by an executable outside of the task's mounts, such as a container runtime, are not remembered", async () => {
    const cgroup = mkdtempSync(join(cgroup2() ?? '', 'rf-capability-'));
    try {
      const command = `echo $$ > ${cgroup}/cgroup.procs && exec ${program} mounts 1`;
      execFileSync('sh', ['-c', command]);
      const mask = sensor.object.map('rf_used_caps').get(statSync(cgroup, { bigint: true }).ino) as bigint;
      assert.equal((mask ?? 0n) & (1n << BigInt(CAP_SYS_CHROOT)), 0n);
    } finally {
      rmdirSync(cgroup);
    }
  });
});
