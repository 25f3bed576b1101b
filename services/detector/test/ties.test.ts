import assert from 'node:assert/strict';
import test from 'node:test';
import type { InRecord, OutRecord } from '@ringfence/bus';
import { O, type SyntheticProcess as TestProcess } from '@ringfence/synthetic';
import { decode, type Edge, type Event, LANE, TOPIC, U64_ZERO, u64FromBigInt } from '@ringfence/wire';
import { Machine, TestFleet } from './fleet.ts';
import { createFeed, createTestDetector } from './support.ts';

const edgesIn = (outputs: readonly OutRecord[]): Edge[] =>
  outputs.flatMap(({ topic, value }) => (topic === TOPIC.edges && value !== null ? [decode('Edge', value)] : []));

function edgesOf(machine: Machine): Edge[] {
  const records: InRecord[] = createFeed(machine.host).of([machine.host.batch()]);
  return edgesIn(createTestDetector().handle(records).outputs);
}

const shown = ({ end, detail }: Edge): string => `${end} ${detail}`;
let sequence = 0;

/** What sshd's log says of a login, as the enricher has it; `process` wrote the line. */
function logged(
  machine: Machine,
  process: TestProcess | undefined,
  line: { readonly from: string; readonly port: number; readonly fingerprint?: string; readonly origin?: string },
): void {
  const text = Buffer.from('Accepted publickey');
  machine.host.append({
    lane: LANE.log,
    cpu: 0,
    sequence: ++sequence,
    ktime: machine.host.ktime,
    late: false,
    tgid: process?.tgid ?? 0,
    tid: process?.tgid ?? 0,
    start: process?.startBytes ?? U64_ZERO,
    cgroup: u64FromBigInt(0n),
    execId: process?.execId ?? 0,
    body: {
      'ringfence.Log': {
        origin: line.origin ?? 'journald',
        path: 'ssh.service',
        offset: -1,
        program: 'sshd',
        pid: process?.tgid ?? 0,
        message: { bytes: text, length: text.length },
        category: 'authentication',
        action: 'ssh-login',
        outcome: 'success',
        user: '',
        targetUser: 'root',
        sourceAddress: line.from,
        sourcePort: line.port,
        method: 'publickey',
        fingerprint: line.fingerprint ?? '',
        command: '',
        workingDirectory: '',
        tty: '',
      },
    },
  } as unknown as Event);
}

function named(machine: Machine, addresses: string): void {
  machine.host.append({
    lane: LANE.context,
    cpu: 1,
    sequence: ++sequence,
    ktime: machine.host.ktime,
    late: false,
    tgid: 0,
    tid: 0,
    start: U64_ZERO,
    cgroup: U64_ZERO,
    execId: 0,
    body: { 'ringfence.HostContext': { hostname: `web-${machine.address}`, machineId: '', addresses } },
  } as unknown as Event);
}

test('a connection from before the chain is known is told with it; one from afterwards at once', () => {
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

test('of a login what its own listener accepted is told, also when others come in between', () => {
  const machine = new Machine(2);
  const [mine] = [machine.login('10.0.0.1', 41_000), machine.login('10.0.0.9', 41_000)];
  for (let i = 0; i < 40; i++) machine.login('10.0.0.8', 42_000 + i);
  machine.steal(mine);
  assert.deepEqual(edgesOf(machine).map(shown), ['destination tcp 10.0.0.1:41000 → 10.0.0.2:22']);
});

test('an accept that comes after the process it was for is matched all the same', () => {
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

test('a bind shell that became a shell itself is told by its only connection', () => {
  const machine = new Machine(2);
  const { host, address } = machine;
  const nc = host.spawn(host.spawn(host.init, '/usr/sbin/nginx'), '/usr/bin/nc', ['nc', '-l', '-e', '/bin/sh']);
  host.accept(nc, { address: '10.0.0.1', port: 41_000 }, { address, port: 4444 });
  host.exec(nc, '/bin/sh');
  machine.steal(nc);
  assert.deepEqual(edgesOf(machine).map(shown), ['destination tcp 10.0.0.1:41000 → 10.0.0.2:4444']);
});

test('failed and loopback connections, UDP and unix sockets are told nothing of; a busy server only little', () => {
  const machine = new Machine(1);
  const { host, address } = machine;
  const server = host.spawn(host.init, '/usr/sbin/nginx');
  const local = { localAddress: address, localPort: 40_000 };
  host.connect(server, '10.0.0.2', 80, { ...local, result: -111 });
  host.connect(server, '10.0.0.2', 53, { ...local, protocol: 17 });
  host.connect(server, '127.0.0.1', 80, { localAddress: '127.0.0.1', localPort: 40_001 });
  host.connect(server, '/run/app.sock');
  for (let i = 0; i < 500; i++) host.connect(server, '10.0.0.2', 80, { localAddress: address, localPort: 50_000 + i });
  machine.steal(host.spawn(server, '/bin/sh'));
  assert.equal(edgesOf(machine).length, 8);
});

test("a login that only sshd's log tells of ties as well; a line that somebody else wrote does not", () => {
  for (const [forged, expected] of [
    [false, 1],
    [true, 0],
  ] as const) {
    const machine = new Machine(2);
    const { host, sshd } = machine;
    named(machine, '10.0.0.2 fe80::1');
    const session = host.spawn(sshd, '/usr/lib/openssh/sshd-session');
    const shell = host.spawn(session, '/bin/bash');
    logged(machine, forged ? host.spawn(shell, '/usr/bin/logger') : session, { from: '10.0.0.1', port: 41_000 });
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
    logged(machine, session, { from: '198.51.100.7', port: 41_000 + i, fingerprint: KEY });
    const shell = host.spawn(session, '/bin/bash');
    const quiet = host.batch();
    // Only the last two are attacked.
    if (i > hosts - 2) {
      machine.steal(shell);
      host.open(shell, '/etc/crontab', O.WRONLY);
    }
    fleet.feed(host, [quiet, host.batch()]);
  }
  await fleet.run();
  return fleet;
}

test('two hosts entered with the same rare key are one attack; a key that many hosts know ties nothing', async () => {
  const rare = await enteredWithOneKey(2);
  assert.equal(rare.open.length, 1);
  assert.match(rare.open[0]?.joined[0]?.why ?? '', /both were entered with the same key SHA256:abc\/def\+ghi/);
  const common = await enteredWithOneKey(8);
  assert.equal(common.open.length, 2);
});
