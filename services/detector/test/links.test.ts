import assert from 'node:assert/strict';
import test from 'node:test';
import { alertReason } from '@ringfence/incident-text';
import { O, type TestProcess } from '@ringfence/testkit';
import { type Incident, records, UNSET_ID } from '@ringfence/wire';
import { Machine, TestFleet } from './fleet.ts';
import { createFeed, createTestDetector, detectOne, latest } from './support.ts';

const { AF_UNIX } = records.AddressFamily;
const LISTEN = { operation: 3, result: 0 };
const SHA256 = 'ab'.repeat(32);

/** Returns the incidents of a machine that are still open. */
function openOf({ host }: Machine): Incident[] {
  const { incidents } = detectOne(createTestDetector(), createFeed(host).next());
  return latest(incidents).filter(({ state }) => state === 'open');
}

const reasonsOf = (incidents: readonly Incident[]): string[] =>
  incidents.flatMap(({ alerts }) => alerts.map(alertReason));

/** A process that systemd started, as the root of a tree */
const service = ({ host }: Machine, path: string): TestProcess => host.spawn(host.init, path);

test('two processes that talk over loopback are one chain, whichever raised an alert first', () => {
  for (const before of [true, false]) {
    const machine = new Machine(1);
    const { host } = machine;
    const [redis, client] = [service(machine, '/usr/bin/redis-server'), service(machine, '/opt/app')];
    host.socket(redis, { ...LISTEN, port: 6379 });
    const connects = (): void => host.connect(client, '127.0.0.1', 6379);
    if (before) connects();
    machine.steal(client);
    machine.persist(redis);
    if (!before) connects();
    const incidents = openOf(machine);
    assert.equal(incidents.length, 1, String(before));
    const why = `/opt/app (pid ${client.tgid}) connected to 127.0.0.1 port 6379, where /usr/bin/redis-server (pid ${redis.tgid}) listens`;
    assert.ok(reasonsOf(incidents)[1]?.endsWith(why), reasonsOf(incidents).join('\n'));
  }
});

test('a unix socket links as well; a path of another mount namespace and a failed call do not', () => {
  for (const [mnt, result, expected] of [
    [0, 0, 1],
    [77, 0, 0],
    [0, -111, 0],
  ] as const) {
    const machine = new Machine(1);
    const { host } = machine;
    const [server, client] = [service(machine, '/opt/server'), service(machine, '/opt/client')];
    const namespaces = mnt === 0 ? client.namespaces : { ...client.namespaces, mnt };
    host.exec(client, '/opt/client', { namespaces });
    host.socket(server, { ...LISTEN, family: AF_UNIX, path: '/run/server.sock' });
    host.connect(client, '/run/server.sock', 0, { result });
    machine.steal(client);
    machine.persist(server);
    assert.equal(openOf(machine).length, expected, `${mnt} ${result}`);
  }
});

test('a server with many clients links none of them, and neither does a hub', () => {
  const machine = new Machine(1);
  const { host } = machine;
  const server = service(machine, '/usr/sbin/mysqld');
  host.socket(server, { ...LISTEN, port: 3306 });
  host.socket(machine.sshd, { ...LISTEN, port: 22 });
  const clients = Array.from({ length: 8 }, (_, i) => service(machine, `/opt/app${i}`));
  for (const client of clients) {
    host.connect(client, '127.0.0.1', 3306);
    host.connect(client, '127.0.0.1', 22);
  }
  machine.steal(server);
  for (const client of clients) machine.persist(client);
  assert.deepEqual(openOf(machine), []);
});

test('a common host, user, container or remote machine links nothing', () => {
  const machine = new Machine(1);
  const { host } = machine;
  const apart = (start: (path: string) => TestProcess): void => {
    const [one, two] = [start('/opt/one'), start('/opt/two')];
    for (const process of [one, two]) host.connect(process, '203.0.113.9', 4444);
    machine.steal(one);
    machine.persist(two);
  };
  apart((path) => service(machine, path));
  const shim = service(machine, '/usr/bin/containerd-shim-runc-v2');
  host.container({ cgroup: 9n, id: 'c9', name: 'web', image: 'shop:1' });
  apart((path) => {
    const entry = host.fork(shim, { cgroup: 9n });
    host.exec(entry, path);
    return entry;
  });
  const detector = createTestDetector();
  const { alerts, incidents } = detectOne(detector, createFeed(host).next());
  assert.deepEqual([alerts.length, incidents, detector.stats().chains], [4, [], 4]);
});

test('processes found running are linked by their login session; those of another or no session are not', () => {
  for (const [sessions, expected] of [
    [[7, 7], 1],
    [[7, 8], 0],
    [[UNSET_ID, UNSET_ID], 0],
  ] as const) {
    const machine = new Machine(1);
    const { host } = machine;
    // After a restart of the agent, processes whose parent had ended are children of pid 1.
    const [shell, orphan] = sessions.map((sessionId) => {
      const process = host.unseen(host.init);
      process.sessionId = sessionId;
      return host.snapshot(process, '/bin/bash');
    }) as [TestProcess, TestProcess];
    machine.steal(shell);
    machine.persist(orphan);
    const incidents = openOf(machine);
    assert.equal(incidents.length, expected);
    if (expected === 1)
      assert.equal(
        reasonsOf(incidents)[1],
        'belongs to the login session (audit session 7) in which "Shadow read" was raised',
      );
  }
});

test("the session of a user's service manager links nothing", () => {
  const machine = new Machine(1);
  const { host } = machine;
  const manager = host.fork(host.init);
  manager.sessionId = 3;
  host.exec(manager, '/usr/lib/systemd/systemd', { argv: ['systemd', '--user'] });
  machine.steal(host.spawn(manager, '/opt/one'));
  machine.persist(host.spawn(manager, '/opt/two'));
  assert.deepEqual(openOf(machine), []);
});

test('pods of one workload are one chain, except with the default account, which any workload may have', () => {
  for (const [account, expected] of [
    ['checkout', 1],
    ['default', 0],
  ] as const) {
    const machine = new Machine(1);
    const { host } = machine;
    const shim = host.spawn(host.init, '/usr/bin/containerd-shim-runc-v2');
    const [one, two] = [31n, 32n].map((cgroup) => {
      const pod = { namespace: 'shop', serviceAccount: account, image: 'shop/checkout:1' };
      host.container({ cgroup, id: `c${cgroup}`, ...pod });
      return host.exec(host.fork(shim, { cgroup }), '/app/server');
    }) as [TestProcess, TestProcess];
    machine.steal(one);
    machine.persist(two);
    const incidents = openOf(machine);
    assert.equal(incidents.length, expected);
    if (expected === 1)
      assert.match(
        reasonsOf(incidents)[1] ?? '',
        /^belongs to the workload shop\/checkout, in which "Shadow read" was raised$/,
      );
  }
});

test('two processes that run files of the same written content are linked, also if the hash arrives late', () => {
  for (const late of [true, false]) {
    const machine = new Machine(1);
    const { host } = machine;
    host.hashes();
    const run = (from: TestProcess, path: string): TestProcess => {
      host.open(from, path, O.WRONLY | O.CREAT);
      const ran = host.spawn(from, path);
      if (!late) host.hash(ran, path, { sha256: SHA256 });
      return ran;
    };
    const shells = [service(machine, '/opt/one'), service(machine, '/opt/two')];
    const [one, two] = [run(shells[0]!, '/var/a'), run(shells[1]!, '/var/b')];
    machine.steal(one);
    machine.persist(two);
    if (late)
      for (const [ran, path] of [
        [one, '/var/a'],
        [two, '/var/b'],
      ] as const)
        host.hash(ran, path, { sha256: SHA256 });
    const incidents = openOf(machine);
    assert.equal(incidents.length, 1, String(late));
    assert.ok(
      reasonsOf(incidents)[1]?.includes(
        `runs a file of the same content (sha256 ${SHA256.slice(0, 12)}…) as /var/a, which ran as pid ${one.tgid}`,
      ),
      reasonsOf(incidents).join('\n'),
    );
  }
});

test('two scripts of the same content are linked, and their interpreter links nothing', () => {
  const machine = new Machine(1);
  const { host } = machine;
  host.hashes();
  const interpreter = service(machine, '/bin/sh');
  host.hash(interpreter, '/bin/sh', { sha256: 'aa'.repeat(32) });
  for (const [i, harm] of ['steal', 'persist'].entries()) {
    const shell = service(machine, `/opt/${i}`);
    host.open(shell, `/var/${i}.sh`, O.WRONLY | O.CREAT);
    const ran = host.exec(host.fork(shell), '/bin/sh', { scriptInode: host.inodeOf(`/var/${i}.sh`) });
    host.hash(ran, `/var/${i}.sh`, { sha256: SHA256, script: true });
    machine[harm as 'steal' | 'persist'](ran);
  }
  assert.match(reasonsOf(openOf(machine))[1] ?? '', new RegExp(`same content .sha256 ${SHA256.slice(0, 12)}`));
});

test('copies of a program of the system link nothing', () => {
  const machine = new Machine(1);
  const { host } = machine;
  host.hashes();
  const bash = service(machine, '/bin/bash');
  host.hash(bash, '/bin/bash', { sha256: SHA256 });
  for (const [i, harm] of ['steal', 'persist'].entries()) {
    const shell = service(machine, `/opt/${i}`);
    host.open(shell, `/var/${i}`, O.WRONLY | O.CREAT);
    const copy = host.spawn(shell, `/var/${i}`);
    host.hash(copy, `/var/${i}`, { sha256: SHA256 });
    machine[harm as 'steal' | 'persist'](copy);
  }
  assert.deepEqual(openOf(machine), []);
});

test('a program of the system that was copied links nothing', () => {
  const machine = new Machine(1);
  const { host } = machine;
  host.hashes();
  const shell = service(machine, '/opt/one');
  host.open(shell, '/var/a', O.WRONLY | O.CREAT);
  const copy = host.spawn(shell, '/var/a');
  host.hash(copy, '/var/a', { sha256: SHA256 });
  machine.steal(copy);
  const bash = service(machine, '/bin/bash');
  host.hash(bash, '/bin/bash', { sha256: SHA256 });
  machine.persist(bash);
  assert.deepEqual(openOf(machine), []);
});

test('two chains that are connected over an address of the host itself become one', async () => {
  const machine = new Machine(1);
  const { host, address } = machine;
  const client = service(machine, '/opt/client');
  machine.steal(client);
  host.connect(client, address, 4444, { localAddress: address, localPort: 41_000 });
  const nc = service(machine, '/usr/bin/nc');
  host.accept(nc, { address, port: 41_000 }, { address, port: 4444 });
  host.exec(nc, '/bin/sh');
  machine.persist(nc);
  const fleet = new TestFleet();
  fleet.feed(host, [host.batch()]);
  await fleet.run();
  assert.equal(fleet.open.length, 1);
  assert.match(
    reasonsOf(fleet.open)[1] ?? '',
    /which turned out to be part of this incident: the connection tcp 10\.0\.0\.1:41000 → 10\.0\.0\.1:4444 was seen from both ends$/,
  );
});
