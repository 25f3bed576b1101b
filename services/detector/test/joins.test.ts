import assert from 'node:assert/strict';
import test from 'node:test';
import { O } from '@ringfence/synthetic';
import type { Incident } from '@ringfence/wire';
import fc from 'fast-check';
import { Machine, TestFleet } from './fleet.ts';

const tacticsOf = ({ stages }: { readonly stages: readonly { readonly tactic: string }[] }): string[] =>
  stages.map(({ tactic }) => tactic);

/** Web shell on the first, from there over SSH to the second, where it stays. Each half is below the threshold. */
function twoHosts(): [Machine, Machine] {
  const [web, db] = [new Machine(1), new Machine(2)];
  web.ssh(web.webShell(), db, 41_000);
  db.wait(1_000_000);
  db.persist(db.login(web.address, 41_000));
  return [web, db];
}

test('an attack that goes over SSH to a second host is one incident with the stages of both', async () => {
  const [web, db] = twoHosts();
  const fleet = new TestFleet();
  fleet.feed(web.host, [web.host.batch()]);
  fleet.feed(db.host, [db.host.batch()]);
  await fleet.run();
  const [incident, ...more] = fleet.open;
  assert.deepEqual(more, []);
  assert.ok(incident !== undefined);
  assert.deepEqual(tacticsOf(incident), ['command-and-control', 'persistence']);
  assert.deepEqual(incident.hosts, ['host-1', 'host-2']);
  assert.deepEqual(
    incident.alerts.map(({ rule }) => rule),
    ['Download and execute', 'Cron changed'],
  );
  assert.match(incident.title, /, on 2 hosts$/);
  assert.equal(incident.joined[0]?.hostId, 'host-2');
  assert.match(incident.joined[0]?.why ?? '', /tcp 10\.0\.0\.1:41000 → 10\.0\.0\.2:22 was seen from both ends/);
  assert.match(incident.alerts[1]?.why ?? '', /^opened inc-\w+, part of this incident: the connection/);
  assert.ok(
    incident.story.some((line) => / on host-1: .*\/tmp\/x/.test(line)),
    incident.story.join('\n'),
  );
  assert.ok(incident.story.some((line) => / on host-2: .*\/etc\/crontab/.test(line)));
  assert.ok(incident.score >= 40);
});

test('what comes later on the second host is told in the incident of the first', async () => {
  const [web, db] = twoHosts();
  const fleet = new TestFleet();
  const shell = db.login(web.address, 41_000);
  fleet.feed(web.host, [web.host.batch()]);
  const before = db.host.batch();
  db.steal(shell);
  fleet.feed(db.host, [before, db.host.batch()]);
  await fleet.run();
  assert.equal(fleet.open.length, 1);
  assert.deepEqual(tacticsOf(fleet.open[0] as never), ['command-and-control', 'persistence', 'credential-access']);
  assert.equal(fleet.open[0]?.severity, 'critical');
});

test('hosts that have nothing in common but a third stay apart', async () => {
  const [a, b, server] = [new Machine(1), new Machine(2), new Machine(3)];
  const fleet = new TestFleet();
  const nginx = server.host.spawn(server.host.init, '/usr/sbin/nginx');
  for (const [i, one] of [a, b].entries()) {
    const shell = one.webShell();
    one.steal(shell);
    one.host.connect(shell, server.address, 80, { localAddress: one.address, localPort: 42_000 + i });
    server.host.accept(nginx, { address: one.address, port: 42_000 + i }, { address: server.address, port: 80 });
  }
  const cgi = server.host.spawn(nginx, '/bin/sh');
  server.persist(cgi);
  server.steal(cgi);
  for (const one of [a, b, server]) fleet.feed(one.host, [one.host.batch()]);
  await fleet.run();
  assert.equal(fleet.open.length, 3);
  assert.deepEqual(
    fleet.open.flatMap(({ joined }) => joined),
    [],
  );
  assert.equal(fleet.detector(server.host).stats().ambiguousAccepts, 1);
});

test('two logins of different people stay apart on the host that both come to', async () => {
  const [a, b, target] = [new Machine(1), new Machine(2), new Machine(3)];
  const fleet = new TestFleet();
  a.ssh(a.webShell(), target, 41_001);
  b.ssh(b.webShell(), target, 41_002);
  const [first, second] = [target.login(a.address, 41_001), target.login(b.address, 41_002)];
  target.persist(first);
  target.steal(second);
  for (const one of [a, b, target]) fleet.feed(one.host, [one.host.batch()]);
  await fleet.run();
  assert.deepEqual(fleet.open.map(({ hosts, stages }) => [...hosts, ...tacticsOf({ stages })].join(' ')).sort(), [
    'host-1 host-3 command-and-control persistence',
    'host-2 host-3 command-and-control credential-access',
  ]);
});

test('the same addresses and ports on networks that have nothing to do with each other tie nothing', async () => {
  const [a, b] = [new Machine(1), new Machine(2)];
  const fleet = new TestFleet();
  for (const one of [a, b]) {
    const shell = one.webShell();
    one.steal(shell);
    one.host.connect(shell, '172.17.0.3', 80, { localAddress: '172.17.0.2', localPort: 40_000 });
    one.host.connect(shell, '127.0.0.1', 80, { localAddress: '127.0.0.1', localPort: 40_001 });
    fleet.feed(one.host, [one.host.batch()]);
  }
  await fleet.run();
  assert.equal(fleet.open.length, 2);
});

test('a port that is used again a day later is another connection; clocks may be wrong by minutes', async () => {
  for (const [clockOffset, together] of [
    [10 * 60_000_000, true],
    [-10 * 60_000_000, true],
    [86_400_000_000, false],
  ] as const) {
    const [web, db] = [new Machine(1), new Machine(2, { clockOffset })];
    const fleet = new TestFleet();
    web.ssh(web.webShell(), db, 41_000);
    db.persist(db.login(web.address, 41_000));
    fleet.feed(web.host, [web.host.batch()]);
    fleet.feed(db.host, [db.host.batch()]);
    await fleet.run();
    assert.equal(fleet.open.length, together ? 1 : 0, `clock off by ${clockOffset} µs`);
  }
});

interface Part {
  readonly machine: Machine;
  readonly batches: readonly Buffer[];
}

/**
 * Five hosts: 1 → 2 → 3, 2 → 4, and from 5 another way into 2, where what the one brought the other runs: two chains of one host that become one when
 * both are parts of something already.
 */
function fiveHosts(): Part[] {
  const machines = [1, 2, 3, 4, 5].map((number) => new Machine(number));
  const [a, b, c, d, e] = machines as [Machine, Machine, Machine, Machine, Machine];
  for (const [i, machine] of [a, e, b, c, d].entries()) machine.wait(i * 1_000_000);
  a.ssh(a.webShell(), b, 41_000);
  e.ssh(e.webShell(), b, 41_009);
  const shell = b.login(a.address, 41_000);
  b.steal(shell);
  b.ssh(shell, c, 41_001);
  const other = b.login(e.address, 41_009);
  b.steal(other);
  const apart = b.host.batch();
  b.host.open(b.host.spawn(shell, '/usr/bin/scp'), '/tmp/f', O.WRONLY);
  b.host.spawn(other, '/tmp/f');
  const together = b.host.batch();
  b.ssh(other, d, 41_002);
  c.persist(c.login(b.address, 41_001));
  d.steal(d.login(b.address, 41_002));
  return machines.map((machine) => ({
    machine,
    batches: machine === b ? [apart, together, b.host.batch()] : [machine.host.batch()],
  }));
}

type Shown = Pick<Incident, 'alerts' | 'joined'> & Record<string, unknown>;

/** But for how often it was sent, and by which of several ties each was brought along first. */
function clean({ version: _, story, joined, alerts, ...incident }: Incident): Shown {
  return {
    ...incident,
    lines: story.length,
    joined: joined.map(({ id, hostId }) => ({ id, hostId })) as never,
    alerts: alerts.map(({ why: _why, ...alert }) => alert) as never,
  };
}

test('in whatever order the records of five hosts come, twice or after restarts, the end is the same', async () => {
  const parts = fiveHosts();
  const expected = new TestFleet();
  for (const { machine, batches } of parts) expected.feed(machine.host, batches);
  await expected.run();
  assert.deepEqual(expected.open[0]?.hosts.toSorted(), ['host-1', 'host-2', 'host-3', 'host-4', 'host-5']);
  assert.equal(expected.open.length, 1);
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(parts, { minLength: parts.length }),
      fc.infiniteStream(fc.nat()),
      fc.infiniteStream(fc.nat({ max: 5 })),
      fc.nat({ max: 2 }),
      async (order, choices, chances, early) => {
        const next = (stream: Iterator<number>): number => stream.next().value ?? 0;
        const [choosing, taking] = [choices[Symbol.iterator](), chances[Symbol.iterator]()];
        const chance = (): boolean => next(taking) === 0;
        // What comes again may make more come: as often as that, and no more.
        let crashes = 8;
        const fleet = new TestFleet({ restarts: chance, repeats: () => crashes > 0 && chance() && crashes-- > 0 });
        // Much may have been joined before the rest happens.
        for (const { machine, batches } of order) fleet.feed(machine.host, batches.slice(0, early));
        await fleet.run((count) => next(choosing) % count);
        for (const { machine, batches } of order) fleet.feed(machine.host, batches.slice(early));
        await fleet.run((count) => next(choosing) % count);
        assert.deepEqual(fleet.open.map(clean), expected.open.map(clean));
      },
    ),
    { numRuns: 40 },
  );
});
