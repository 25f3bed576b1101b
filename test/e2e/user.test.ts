import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { kafkaMissing } from '@ringfence/dev-servers';
import { loadHostId } from '@ringfence/identity/local';
import type { Status } from '@ringfence/runtime/status';
import { readable } from '@ringfence/testkit';
import { cgroupRoot } from './lib/container.ts';
import { SmallFleet } from './lib/fleet.ts';
import { Installation, MAIN, type Running, type RunOptions } from './lib/program.ts';
import {
  SENSOR_UID,
  SENSOR_USER,
  SERVICES_UID,
  SERVICES_USER,
  skip,
  TWO_USERS,
  twoUserInstallation,
} from './lib/two-users.ts';
import { until } from './lib/wait.ts';

const CAP = { DAC_READ_SEARCH: 2, KILL: 5, NET_ADMIN: 12, SYS_PTRACE: 19, PERFMON: 38, BPF: 39 } as const;
const maskOf = (...names: (keyof typeof CAP)[]): bigint =>
  names.reduce((mask, name) => mask | (1n << BigInt(CAP[name])), 0n);
const OBSERVING = maskOf('BPF', 'PERFMON', 'NET_ADMIN', 'DAC_READ_SEARCH', 'SYS_PTRACE');

/** Credentials of a thread in /proc. */
interface Thread {
  readonly uids: string;
  readonly gids: string;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
  readonly bounding: bigint;
  readonly noNewPrivileges: boolean;
  readonly nice: number;
}

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const text = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1');
    const field = (name: string): string => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(text)?.[1] ?? '';
    const mask = (name: string): bigint => BigInt(`0x${field(name)}`);
    return {
      uids: field('Uid'),
      gids: field('Gid'),
      permitted: mask('CapPrm'),
      effective: mask('CapEff'),
      inheritable: mask('CapInh'),
      ambient: mask('CapAmb'),
      bounding: mask('CapBnd'),
      noNewPrivileges: field('NoNewPrivs') === '1',
      nice: getPriority(Number(tid)),
    };
  });
}

/** Asserts that every thread runs as the user, has exactly these capabilities, and cannot gain more by an exec. */
function assertRestricted(pid: number, mask: bigint, uid = mask === 0n ? SERVICES_UID : SENSOR_UID): void {
  const threads = threadsOf(pid);
  assert.ok(threads.length > 1);
  for (const thread of threads) {
    const all = ['permitted', 'effective', 'inheritable', 'ambient', 'bounding'] as const;
    assert.deepEqual(
      Object.fromEntries(all.map((set) => [set, thread[set]])),
      Object.fromEntries(all.map((set) => [set, mask])),
    );
    assert.equal(thread.uids, Array(4).fill(uid).join('\t'));
    assert.ok(!thread.gids.split('\t').includes('0'), thread.gids);
    assert.ok(thread.noNewPrivileges);
  }
}

/** Returns the running children of a process. */
const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').split(' '))
    .filter((text) => text !== '' && isAlive(Number(text)))
    .map(Number);

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT');
    return false;
  }
}

const sensorOf = (up: Running): number => {
  const [sensor, ...more] = childrenOf(up.pid);
  assert.ok(sensor !== undefined && more.length === 0);
  return sensor;
};

/** Mounts a BPF file system whose root directory only root can enter, as systemd does. */
function bpfFileSystem(t: TestContext): string {
  const point = mkdtempSync(join(tmpdir(), 'rf-bpf-'));
  const mounted = spawnSync('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', point], { encoding: 'utf8' });
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', [point]);
    rmSync(point, { recursive: true });
  });
  assert.equal(mounted.status, 0, mounted.stderr);
  return point;
}

const killing = (mark: string): string => `- rule: Marked
  desc: Every execution whose arguments have the mark of this test.
  condition: event.action = exec and process.command_line contains ${mark}
  output: "%process.command_line"
  priority: critical
  tags: [execution]
  action: kill
`;

/** Returns an installation with one rule, which kills processes that have `mark` in their arguments. */
function killer(mark: string, settings: readonly string[] = []): Installation {
  const home = twoUserInstallation(settings);
  const rules = join(home.dir, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'one.yaml'), killing(mark));
  home.settings.push(`detector.rules=${rules}`);
  return home;
}

/** Runs a long sleep as root, with `mark` as argv[0]. */
function victim(t: TestContext, mark: string) {
  const child = spawn('/bin/sleep', ['1000'], { argv0: mark, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** Asserts that only the process of the sensor has CAP_KILL and that it kills the child. Stops `up`. */
async function assertKills(up: Running, child: ChildProcess): Promise<void> {
  assertRestricted(sensorOf(up), OBSERVING | maskOf('KILL'));
  assertRestricted(up.pid, 0n);
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
  assert.equal((await up.stop()).code, 0, up.stderr);
}

/** Lists events. Root and the owner of the socket can connect. */
const events = (home: Installation, where: string): Promise<string> =>
  home.output(['events', '--json', '--where', where]);

/** Waits for an execution that has `mark` in its arguments. */
const executed = (home: Installation, mark: string): Promise<boolean> =>
  until(`the execution of ${mark}`, async () =>
    (await events(home, `event.action = exec and process.command_line contains ${mark}`)).includes(mark),
  );

describe('up as an unprivileged user', { skip }, () => {
  test('only the process of the sensor has the priority and capabilities, and only the necessary ones; events and hashes arrive', async () => {
    await using home = twoUserInstallation();
    const secret = join(home.dir, 'secret');
    copyFileSync('/bin/true', secret);
    chmodSync(secret, 0o700);
    await using up = await home.up();
    const sensor = sensorOf(up);
    assertRestricted(up.pid, 0n);
    assertRestricted(sensor, OBSERVING);
    const priorities = (pid: number): number[] => [...new Set(threadsOf(pid).map(({ nice }) => nice))].sort();
    assert.deepEqual(priorities(up.pid), [getPriority()]);
    // Files are hashed by a thread of low priority.
    assert.deepEqual(priorities(sensor), [-10, 10]);

    const asUser = ['--reuid', SERVICES_USER, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--'];
    const read = spawnSync('setpriv', [...asUser, 'cat', `/proc/${sensor}/environ`], { encoding: 'utf8' });
    assert.match(
      read.stderr,
      /Permission denied/,
      'processes of the user can read the environment of the process with capabilities',
    );

    spawnSync(secret, ['rf-as-a-user']);
    const sha256 = createHash('sha256').update(readFileSync(secret)).digest('hex');
    const where = 'event.action = hash and process.command_line contains rf-as-a-user';
    await until('the hash of a file that only root may read', async () => (await events(home, where)).includes(sha256));

    const { processes } = JSON.parse(await home.output(['status', '--json'])) as Status;
    assert.deepEqual(
      processes.map(({ pid, uid, capabilities }) => [pid, uid, [...capabilities].sort()]),
      [
        [up.pid, SERVICES_UID, []],
        [sensor, SENSOR_UID, ['CAP_BPF', 'CAP_DAC_READ_SEARCH', 'CAP_NET_ADMIN', 'CAP_PERFMON', 'CAP_SYS_PTRACE']],
      ],
    );
    assert.match(
      (await home.run(['doctor'])).stdout,
      new RegExp(`✓ runs as +pid ${up.pid}, uid ${SERVICES_UID}, no capability; pid ${sensor}, `),
    );
    const { stdout: diagnosis } = await home.run(['doctor'], { uid: SERVICES_UID });
    assert.match(diagnosis, /✓ privileges +every needed capability, in the running processes/);
    assert.match(diagnosis, /not tried: this needs root; the running ringfence has tried them/);
    for (const path of [home.stateDir, home.runDir, join(home.stateDir, 'bus.db'), home.socket])
      assert.deepEqual([statSync(path).uid, statSync(path).mode & 0o077], [SERVICES_UID, 0], path);

    assert.equal((await up.stop('SIGTERM')).code, 0, up.stderr);
    assert.equal(isAlive(sensor), false);
    home.assertClean();
  });

  test('if rules may not kill, the kernel refuses the kill of the demo policy, and the result has the reason', async (t) => {
    const mark = `rf-spared-${process.pid}`;
    await using home = killer(mark);
    const name = `ringfence-demo-user-${process.pid}`;
    const cgroup = join(cgroupRoot(), name);
    mkdirSync(cgroup);
    // Files that are there at the start stay root's.
    const containers = join(home.runDir, 'containers.d');
    mkdirSync(containers, { recursive: true });
    const container = { cgroupPath: `/${name}`, id: name, name: 'web-1', image: 'shop/web:1.4' };
    writeFileSync(join(containers, 'web.json'), JSON.stringify({ ...container, privileged: false, labels: {} }));
    await using up = await home.up();
    const shell = spawn('/bin/bash', ['-c', `echo $$ > ${cgroup}/cgroup.procs && exec -a ${mark} sleep 1000`], {
      stdio: 'ignore',
    });
    const ended = once(shell, 'exit');
    t.after(async () => {
      shell.kill('SIGKILL');
      await ended;
      await until('the cgroup to be empty', () => readFileSync(join(cgroup, 'cgroup.procs'), 'utf8') === '');
      rmdirSync(cgroup);
    });
    const results = await until('the result', async () => {
      using audit = home.audit();
      // The shell has the mark before it enters the cgroup in which the policy enforces.
      const found = await Array.fromAsync(audit.results({ where: ({ outcome }) => outcome !== 'observed' }));
      return found.length > 0 && found;
    });
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['failed'],
    );
    assert.match(results[0]?.reason ?? '', /pidfd_send_signal.*EPERM|Operation not permitted/);
    assert.equal(shell.exitCode ?? shell.signalCode, null);
    assert.equal((await up.stop()).code, 0, up.stderr);
  });

  test('when one process dies the other ends, and the next start delivers the events recorded meanwhile; if rules may kill, a process of root is killed', async (t) => {
    const mark = `rf-killed-${process.pid}`;
    const pinPath = join(bpfFileSystem(t), 'ringfence');
    await using home = killer(mark, ['responder.mode=enforce', `sensor.pinPath=${pinPath}`]);
    const first = await home.up();
    process.kill(sensorOf(first), 'SIGKILL');
    const { code, stderr } = await first.ended;
    assert.equal(code, 1);
    assert.match(stderr, /the other process of this ringfence has ended/);
    spawnSync('/bin/true', ['rf-meanwhile-1']);

    const second = await home.up();
    await executed(home, 'rf-meanwhile-1');
    const sensor = sensorOf(second);
    second.child.kill('SIGKILL');
    await second.ended;
    await until('the end of the sensor’s process', () => !isAlive(sensor));

    const third = await home.up();
    assert.match(third.stderr, /"resumed":true/);
    await assertKills(third, victim(t, mark));
    assert.deepEqual(readdirSync(pinPath), []);
    home.assertClean();
  });

  test('in an agent of a fleet only the process without capabilities reads the network, including commands and their keys', {
    skip: kafkaMissing(),
  }, async (t) => {
    const mark = `rf-fleet-${process.pid}`;
    const rules = mkdtempSync(join(tmpdir(), 'rf-rules-'));
    t.after(() => rmSync(rules, { recursive: true }));
    writeFileSync(join(rules, 'one.yaml'), killing(mark));
    await using fleet = await SmallFleet.start({ detector: { rules: [rules] } });
    await fleet.join();
    await using home = twoUserInstallation([
      'services=collector',
      'bus.driver=kafka',
      `bus.kafka.brokers=${fleet.kafka.bootstrap}`,
      'bus.kafka.partitions=2',
      'bus.kafka.tls.enabled=true',
      `control.endpoints=${fleet.endpoints}`,
      'responder.mode=enforce',
    ]);
    await fleet.enrol(loadHostId(home.stateDir), 'agent', join(home.stateDir, 'identity'));
    await using up = await home.up();
    await assertKills(up, victim(t, mark));
    home.assertClean();
  });

  test('a service without a sensor has no capabilities and no second process', async () => {
    await using home = twoUserInstallation();
    await using up = await home.up(['--only', 'auditor']);
    assert.deepEqual(childrenOf(up.pid), []);
    assertRestricted(up.pid, 0n);
    assert.equal((await up.stop()).code, 0, up.stderr);
  });

  test('state of root is given to the user once, without following links; pins work in a BPF file system that only root can enter; without hashing and enforcement the sensor can neither read nor signal processes', async (t) => {
    const pinPath = join(bpfFileSystem(t), 'ringfence');
    await using home = twoUserInstallation([`sensor.pinPath=${pinPath}`, 'collector.hash.enabled=false']);
    for (const setting of TWO_USERS) home.settings.splice(home.settings.indexOf(setting), 1);
    const bystander = join(home.dir, 'bystander');
    writeFileSync(bystander, '');
    await using rootRun = await home.up();
    home.settings.push(...TWO_USERS);
    assert.deepEqual(childrenOf(rootRun.pid), []);
    assert.ok(threadsOf(rootRun.pid).every(({ uids, noNewPrivileges }) => uids === '0\t0\t0\t0' && !noNewPrivileges));
    const hostId = readFileSync(join(home.stateDir, 'host-id'), 'utf8');
    assert.equal((await rootRun.stop()).code, 0, rootRun.stderr);

    symlinkSync(bystander, join(home.stateDir, 'link'));
    const first = await home.up();
    assertRestricted(sensorOf(first), OBSERVING & ~maskOf('SYS_PTRACE'));
    spawnSync('/bin/true', ['rf-unhashed']);
    await executed(home, 'rf-unhashed');
    assert.equal((await first.stop()).code, 0, first.stderr);
    assert.deepEqual(readdirSync(pinPath), []);
    assert.equal(readFileSync(join(home.stateDir, 'host-id'), 'utf8'), hostId);
    const all = readdirSync(home.stateDir, { recursive: true, encoding: 'utf8' });
    for (const name of all) assert.equal(lstatSync(join(home.stateDir, name)).uid, SERVICES_UID, name);
    assert.equal(statSync(bystander).uid, 0);

    writeFileSync(join(home.stateDir, 'of-root'), '');
    const second = await home.up();
    assert.equal((await second.stop()).code, 0, second.stderr);
    assert.deepEqual(readdirSync(pinPath), []);
    assert.equal(statSync(join(home.stateDir, 'of-root')).uid, 0);
  });

  test('a start that needs a path below a directory closed to the user names that directory and changes nothing', async (t) => {
    const closed = mkdtempSync(join(tmpdir(), 'rf-closed-'));
    t.after(() => rmSync(closed, { recursive: true }));
    mkdirSync(join(closed, 'bin'));
    const node = join(closed, 'bin/node');
    copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
    chmodSync(node, 0o755);
    const stateDir = join(closed, 'state');
    mkdirSync(stateDir);
    const cases: readonly (readonly [node: string, settings: readonly string[], target: string])[] = [
      [node, [], node],
      [process.execPath, [`stateDir=${stateDir}`], stateDir],
      [process.execPath, [`runDir=${closed}/new/run`], `${closed}/new/run`],
    ];
    for (const [program, settings, target] of cases) {
      await using home = twoUserInstallation(settings);
      const flags = ['--config', '/dev/null', ...home.settings.flatMap((text) => ['--set', text])];
      const args = ['--conditions=@ringfence/source', readable(MAIN), 'up', ...flags];
      const { status, stderr } = spawnSync(readable(program), args, { encoding: 'utf8' });
      assert.equal(status, 1, stderr);
      const [line, ...more] = stderr.split('\n');
      assert.ok(
        line?.startsWith(`ringfence: user: ${SERVICES_USER} can't enter ${closed}, on the way to ${target}: `),
        stderr,
      );
      assert.match(line ?? '', new RegExp(`chmod o\\+x ${closed}$`));
      assert.deepEqual(more, ['']);
      assert.equal(statSync(stateDir).uid, 0);
      home.assertClean();
    }
  });

  test('an impossible start reports the reason and cleans up', async () => {
    const cases: readonly (readonly [user: string, options: RunOptions, message: RegExp])[] = [
      ['rf-nosuch', {}, /there is no user rf-nosuch on this machine: useradd/],
      ['root', {}, /root is root: name an unprivileged user/],
      [SERVICES_USER, { env: { PATH: '/nowhere' } }, /user needs the command \w+, which is not there/],
      [SERVICES_USER, { uid: SERVICES_UID - 1 }, /user is nobody: start this as root, or as nobody/],
      [SERVICES_USER, { uid: SERVICES_UID }, /the sensor needs privileges that this process lacks \(CAP_BPF/],
    ];
    for (const [user, options, message] of cases) {
      await using home = new Installation([`user=${user}`, `sensor.user=${SENSOR_USER}`]);
      const { code, stderr } = await home.run(['up'], options);
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /, 'the error must not have a stack trace');
      home.assertClean();
    }
  });
});
