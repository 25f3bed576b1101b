import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { groupIds, recordOf, recordsOf, Scratch, type SensorRecord, skip, TestSensor } from '@ringfence/testkit/sensor';

type Credentials = { readonly [name: string]: number | bigint };
const ids = ['uid', 'gid', 'euid', 'egid', 'suid', 'sgid', 'fsuid', 'fsgid'] as const;

/** Returns the changed fields as `name: [before, after]`. */
function changes(before: Credentials, after: Credentials): { [name: string]: unknown } {
  const names = Object.keys(before).filter((name) => before[name] !== after[name]);
  return Object.fromEntries(names.map((name) => [name, [before[name], after[name]]]));
}

describe('credential changes on the running kernel', { skip }, () => {
  let sensor: TestSensor;
  let scratch: Scratch;
  let credentials: string;
  let early: ChildProcess;
  before(async () => {
    scratch = new Scratch();
    credentials = scratch.compile('credentials');
    early = spawn(credentials, ['early'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(early.stdout ?? assert.fail('no pipe'), 'data');
    sensor = await TestSensor.start();
  });
  after(() => {
    early?.kill();
    sensor?.[Symbol.dispose]();
    scratch?.[Symbol.dispose]();
  });

  const changesIn = (seen: SensorRecord[]): { [name: string]: unknown }[] =>
    recordsOf(seen, 'rf_credentials_change').map(({ fields }) =>
      changes(fields['before'] as Credentials, fields['after'] as Credentials),
    );

  async function changesOf(calls: string[], options: SpawnOptions = {}): Promise<{ [name: string]: unknown }[]> {
    return changesIn(await sensor.run(credentials, calls, options));
  }

  test('each call that changes a user or group id is one event with the values before and after', async () => {
    const full = recordOf(await sensor.run(credentials, []), 'rf_exec').fields['credentials'] as Credentials;
    const capabilities = full['cap_effective'];
    assert.ok(typeof capabilities === 'bigint' && capabilities !== 0n);
    // CAP_CHOWN … CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_MKNOD, CAP_MAC_OVERRIDE: the kernel grants them with fsuid 0.
    const withoutFiles = capabilities & ~0x1_0800_021fn;
    assert.deepEqual(
      await changesOf(['setresgid', 'setgid', 'setregid', 'setfsgid', 'setfsuid', 'setreuid', 'setresuid', 'setuid']),
      [
        { gid: [0, 5], egid: [0, 6], sgid: [0, 7], fsgid: [0, 6] },
        { gid: [5, 8], egid: [6, 8], sgid: [7, 8], fsgid: [6, 8] },
        { gid: [8, 9], egid: [8, 10], sgid: [8, 10], fsgid: [8, 10] },
        { fsgid: [10, 11] },
        { fsuid: [0, 12], cap_effective: [capabilities, withoutFiles] },
        { euid: [0, 13], suid: [0, 13], fsuid: [12, 13], cap_effective: [withoutFiles, 0n] },
      ],
    );
  });

  test('root that switches all user ids to another user loses its capabilities', async () => {
    const [change] = await changesOf(['setuid']);
    assert.ok(change);
    for (const id of ids.filter((name) => name.includes('uid'))) assert.deepEqual(change[id], [0, 16]);
    assert.equal((change['cap_permitted'] as bigint[])[1], 0n);
  });

  const change = (from: number, to: number) => ({ egid: [from, to], fsgid: [from, to] });

  test('values before a change are right for a thread that differed from its process before the sensor started', async () => {
    early.stdin?.end('x');
    await once(early, 'exit');
    // In a guest, the sensor of an earlier test file may have seen the first change as well.
    assert.deepEqual(changesIn(sensor.familyOf(early)).slice(-2), [change(5, 6), change(0, 7)]);
  });

  test('values before a change are tracked per thread', async () => {
    assert.deepEqual(await changesOf(['threads']), [
      change(0, 5),
      change(5, 6),
      change(0, 7),
      change(7, 8),
      change(7, 9),
    ]);
  });

  test('dropping capabilities is reported', async () => {
    const [change, ...rest] = await changesOf(['capset']);
    assert.deepEqual(Object.keys(change ?? {}), ['cap_effective']);
    assert.deepEqual(rest, []);
  });

  test('a new user namespace gives an unprivileged user all capabilities', async () => {
    chmodSync(scratch.path, 0o755);
    const somebody = { uid: 65534, gid: 65534 };
    const byNode = recordsOf(await sensor.run(credentials, [], somebody), 'rf_credentials_change').length;
    const [change, ...rest] = (await changesOf(['unshare-user'], somebody)).slice(byNode);
    assert.deepEqual(Object.keys(change ?? {}), ['cap_effective', 'cap_permitted']);
    const [none, every] = (change?.['cap_effective'] ?? []) as bigint[];
    assert.equal(none, 0n);
    assert.ok((every ?? 0n) & (1n << 21n), 'CAP_SYS_ADMIN');
    assert.deepEqual(rest, []);
  });

  /** Returns the groups before and after each call that changed something. */
  async function groupsOf(...calls: string[]): Promise<unknown[][]> {
    const records = recordsOf(await sensor.run(credentials, calls), 'rf_credentials_change');
    return records.map(({ texts }) => ['groups_before', 'groups_after'].map((name) => groupIds(texts[name])));
  }

  test('a change of supplementary groups is reported with the groups before and after', async () => {
    const three = [998, 999, 1000];
    const [first, ...rest] = await groupsOf('groups', 'groups', 'groups-none', 'groups');
    assert.deepEqual(first?.[1], three);
    assert.deepEqual(rest, [
      [three, []],
      [[], three],
    ]);
  });

  test('of more than 32 groups, the lowest 32 and the total are reported, and every call counts as a change', async () => {
    const records = recordsOf(await sensor.run(credentials, ['groups-many', 'groups-many']), 'rf_credentials_change');
    assert.deepEqual(
      records.map(({ texts: { groups_after: after } }) => [groupIds(after).length, after?.length, groupIds(after)[0]]),
      [
        [32, 800, 801],
        [32, 800, 801],
      ],
    );
  });

  test('a change of something else has no groups', async () => {
    assert.deepEqual(await groupsOf('setgid'), [[[], []]]);
  });

  test('a call that changes nothing is not reported', async () => {
    assert.deepEqual(await changesOf(['same']), []);
  });
});
