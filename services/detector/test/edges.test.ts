import assert from 'node:assert/strict';
import test from 'node:test';
import type { InRecord, OutRecord } from '@ringfence/bus';
import { joinReason } from '@ringfence/incident-text';
import { O } from '@ringfence/testkit';
import { decode, type Edge, IPPROTO, TOPIC } from '@ringfence/wire';
import { Machine, TestFleet } from './fleet.ts';
import { createFeed, createTestDetector } from './support.ts';

const edgesIn = (outputs: readonly OutRecord[]): Edge[] =>
  outputs.flatMap(({ topic, value }) => (topic === TOPIC.edges && value !== null ? [decode('Edge', value)] : []));

function edgesOf(machine: Machine): Edge[] {
  const records: InRecord[] = createFeed(machine.host).of([machine.host.batch()]);
  return edgesIn(createTestDetector().handle(records).outputs);
}

const shown = ({ end, detail }: Edge): string => `${end} ${detail}`;
test('a connection from before its chain becomes an edge with the first alert, a later one at once', () => {
  const [web, db] = [new Machine(1), new Machine(2)];
  const shell = web.host.spawn(web.host.spawn(web.host.init, '/usr/sbin/nginx'), '/bin/sh');
  web.ssh(shell, db, 41_000);
  assert.deepEqual(edgesOf(web), []);
  const late = new Machine(1);
  const same = late.host.spawn(late.host.spawn(late.host.init, '/usr/sbin/nginx'), '/bin/sh');
  late.ssh(same, db, 41_000);
  late.steal(same);
  late.ssh(same, db, 41_001);
  const edges = edgesOf(late);
  assert.deepEqual(edges.map(shown), [
    'source tcp 10.0.0.1:41000 → 10.0.0.2:22',
    'source tcp 10.0.0.1:41001 → 10.0.0.2:22',
  ]);
  assert.equal(new Set(edges.map(({ chainId }) => chainId)).size, 1);
});

test('a login has the edge of its own connection, also with other logins in between', () => {
  const machine = new Machine(2);
  const [mine] = [machine.login('10.0.0.1', 41_000), machine.login('10.0.0.9', 41_000)];
  for (let i = 0; i < 40; i++) machine.login('10.0.0.8', 42_000 + i);
  machine.steal(mine);
  assert.deepEqual(edgesOf(machine).map(shown), ['destination tcp 10.0.0.1:41000 → 10.0.0.2:22']);
});

test('an accept that arrives after the process it was for is matched', () => {
  const machine = new Machine(2);
  const { host, sshd, address } = machine;
  const at = host.ktime;
  machine.login('10.0.0.7', 1000);
  machine.wait(10_000);
  const start = host.ktime;
  const session = host.spawn(sshd, '/usr/lib/openssh/sshd-session');
  const shell = host.spawn(session, '/bin/bash');
  const now = host.ktime;
  host.ktime = start - 500;
  host.late = true;
  host.accept(sshd, { address: '10.0.0.1', port: 41_000 }, { address, port: 22 });
  host.late = false;
  host.ktime = now;
  machine.steal(shell);
  assert.deepEqual(edgesOf(machine).map(shown), ['destination tcp 10.0.0.1:41000 → 10.0.0.2:22']);
  assert.ok(at < start);
});

test('a server that became a shell has the edge of its only connection', () => {
  const machine = new Machine(2);
  const { host, address } = machine;
  const nc = host.spawn(host.spawn(host.init, '/usr/sbin/nginx'), '/usr/bin/nc', ['nc', '-l', '-e', '/bin/sh']);
  host.accept(nc, { address: '10.0.0.1', port: 41_000 }, { address, port: 4444 });
  host.exec(nc, '/bin/sh');
  machine.steal(nc);
  assert.deepEqual(edgesOf(machine).map(shown), ['destination tcp 10.0.0.1:41000 → 10.0.0.2:4444']);
});

test('failed and loopback connections, UDP and unix sockets are no edges, and a busy server has few', () => {
  const machine = new Machine(1);
  const { host, address } = machine;
  const server = host.spawn(host.init, '/usr/sbin/nginx');
  const local = { localAddress: address, localPort: 40_000 };
  host.connect(server, '10.0.0.2', 80, { ...local, result: -111 });
  host.connect(server, '10.0.0.2', 53, { ...local, protocol: IPPROTO.UDP });
  host.connect(server, '127.0.0.1', 80, { localAddress: '127.0.0.1', localPort: 40_001 });
  host.connect(server, '/run/app.sock');
  for (let i = 0; i < 500; i++) host.connect(server, '10.0.0.2', 80, { localAddress: address, localPort: 50_000 + i });
  machine.steal(host.spawn(server, '/bin/sh'));
  assert.equal(edgesOf(machine).length, 8);
});

test("a login that only sshd's log shows has an edge as well; a line of another process has none", () => {
  for (const [forged, expected] of [
    [false, 1],
    [true, 0],
  ] as const) {
    const machine = new Machine(2);
    const { host, sshd } = machine;
    machine.describe('10.0.0.2 fe80::1');
    const session = host.spawn(sshd, '/usr/lib/openssh/sshd-session');
    const shell = host.spawn(session, '/bin/bash');
    machine.logLogin(forged ? host.spawn(shell, '/usr/bin/logger') : session, { from: '10.0.0.1', port: 41_000 });
    machine.steal(shell);
    assert.deepEqual(edgesOf(machine).map(shown), [
      ...Array.from({ length: expected }, () => 'destination tcp 10.0.0.1:41000 → 10.0.0.2:22'),
    ]);
  }
});

const KEY = 'SHA256:abc/def+ghi';

async function enteredWithOneKey(hosts: number): Promise<TestFleet> {
  const fleet = new TestFleet();
  for (let i = 1; i <= hosts; i++) {
    const machine = new Machine(i);
    const { host, sshd } = machine;
    const session = host.spawn(sshd, '/usr/lib/openssh/sshd-session');
    machine.logLogin(session, { from: '198.51.100.7', port: 41_000 + i, fingerprint: KEY });
    const shell = host.spawn(session, '/bin/bash');
    const quiet = host.batch();
    // Only the last two hosts are attacked.
    if (i > hosts - 2) {
      machine.steal(shell);
      host.open(shell, '/etc/crontab', O.WRONLY);
    }
    fleet.feed(host, [quiet, host.batch()]);
  }
  await fleet.run();
  return fleet;
}

test('two hosts entered with one rare key are one attack; a key that many hosts use joins nothing', async () => {
  const rare = await enteredWithOneKey(2);
  assert.equal(rare.open.length, 1);
  const reasons = rare.open[0]?.joined.map(joinReason) ?? [];
  assert.match(reasons[0] ?? '', /both hosts were entered with the same key SHA256:abc\/def\+ghi/);
  const common = await enteredWithOneKey(8);
  assert.equal(common.open.length, 2);
});
