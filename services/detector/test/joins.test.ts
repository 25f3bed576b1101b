import assert from 'node:assert/strict';
import test from 'node:test';
import { alertReason, incidentTitle, joinReason, storyLines } from '@ringfence/incident-text';
import { O } from '@ringfence/testkit';
import type { Incident } from '@ringfence/wire';
import fc from 'fast-check';
import { Machine, TestFleet } from './fleet.ts';

const tacticsOf = ({ stages }: { readonly stages: readonly { readonly tactic: string }[] }): string[] =>
  stages.map(({ tactic }) => tactic);

/** A web shell on the first host, and from there over SSH persistence on the second. Each half is below the threshold. */
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
  assert.match(incidentTitle(incident), /, on 2 hosts$/);
  assert.equal(incident.joined[0]?.hostId, 'host-2');
  const [member, ...others] = incident.joined;
  assert.ok(member !== undefined && others.length === 0);
  assert.match(joinReason(member), /tcp 10\.0\.0\.1:41000 → 10\.0\.0\.2:22 was seen from both ends/);
  assert.match(
    incident.alerts.map(alertReason)[1] ?? '',
    /^opened inc-\w+, which turned out to be part of this incident: the connection/,
  );
  const story = storyLines(incident);
  assert.ok(
    story.some((line) => / on host-1: .*\/tmp\/x/.test(line)),
    story.join('\n'),
  );
  assert.ok(story.some((line) => / on host-2: .*\/etc\/crontab/.test(line)));
  assert.ok(incident.score >= 40);
});

test('later alerts of the second host appear in the incident of the first', async () => {
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

test('hosts that only have a third host in common stay apart', async () => {
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

test('two logins from different hosts stay apart on the host that both reach', async () => {
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

test('the same private addresses and ports in different networks join nothing', async () => {
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

test('a port that is used again a day later is another connection, while clocks may differ by minutes', async () => {
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
 * Five hosts: 1 → 2 → 3 and 2 → 4, and another login from 5 into 2, which runs a file of the first one: two chains of
 * one host that merge when both are part of other chains already.
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

/** Everything but the version and the reasons: which of several edges joined two chains first depends on the order. */
function clean({ version: _, joined, alerts, ...incident }: Incident): Shown {
  return {
    ...incident,
    joined: joined.map(({ id, hostId }) => ({ id, hostId })) as never,
    alerts: alerts.map(({ reason: _reason, ...alert }) => alert) as never,
  };
}

test('the records of five hosts give the same incident in any order, with repetitions and restarts', async () => {
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
        // Repeated records may cause more records, so repetitions are limited.
        let crashes = 8;
        const fleet = new TestFleet({ restarts: chance, repeats: () => crashes > 0 && chance() && crashes-- > 0 });
        // Some batches arrive only after others have been joined.
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
