import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestProcess } from '@ringfence/testkit';
import { decode, TOPIC } from '@ringfence/wire';
import { Machine, TestFleet } from './fleet.ts';

/** Chains close after ten idle seconds; the first one later, because it waits for its members. */
const SHORT = { chainIdleMs: 10_000 };

function entered(): {
  readonly web: Machine;
  readonly db: Machine;
  readonly shell: TestProcess;
  readonly inside: TestProcess;
} {
  const [web, db] = [new Machine(1), new Machine(2)];
  db.wait(1_000_000);
  const shell = web.webShell();
  web.ssh(shell, db, 41_000);
  const inside = db.login(web.address, 41_000);
  db.persist(inside);
  return { web, db, shell, inside };
}

test('an incident of two hosts is closed once, with everything it had, when both are idle', async () => {
  const { web, db } = entered();
  const fleet = new TestFleet(SHORT);
  for (const { host } of [web, db]) fleet.feed(host, [host.batch()]);
  await fleet.run();
  for (const { host } of [web, db]) {
    host.tick(11);
    fleet.feed(host, [host.batch()]);
  }
  await fleet.run();
  assert.deepEqual(
    fleet.incidents.map(({ state }) => state),
    ['open'],
    'the chain of the second host is closed, the first waits for what may be on its way',
  );
  web.host.tick(301);
  fleet.feed(web.host, [web.host.batch()]);
  await fleet.run();
  assert.deepEqual(
    fleet.incidents.map(({ state, hosts }) => [state, ...hosts]),
    [['closed', 'host-1', 'host-2']],
  );
});

test('a chain that continues after its incident was closed stands alone again', async () => {
  const { web, db, inside } = entered();
  const fleet = new TestFleet(SHORT);
  for (const { host } of [web, db]) fleet.feed(host, [host.batch()]);
  await fleet.run();
  web.host.tick(400);
  fleet.feed(web.host, [web.host.batch()]);
  await fleet.run();
  db.steal(inside);
  fleet.feed(db.host, [db.host.batch()]);
  await fleet.run();
  assert.deepEqual(fleet.incidents.map(({ state, hostId }) => `${state} ${hostId}`).sort(), [
    'closed host-1',
    'open host-2',
  ]);
  const alone = fleet.open[0];
  assert.deepEqual(
    alone?.alerts.map(({ rule }) => rule),
    ['Cron changed', 'Shadow read'],
  );
  assert.deepEqual(alone?.joined, []);
});

test('a join to a chain that is closed is counted and changes nothing', async () => {
  const { web, db } = entered();
  const fleet = new TestFleet(SHORT);
  web.host.tick(60);
  fleet.feed(web.host, [web.host.batch()]);
  await fleet.run();
  fleet.feed(db.host, [db.host.batch()]);
  await fleet.run();
  assert.deepEqual(fleet.incidents, [], 'neither half is one alone');
  assert.equal(fleet.detector(web.host).stats().joinsToGone, 1);
});

test('an incident that becomes part of an older one is published as merged, and its changes appear there', async () => {
  const { web, db, inside } = entered();
  db.steal(inside);
  const fleet = new TestFleet();
  fleet.feed(db.host, [db.host.batch()]);
  await fleet.run();
  const [own] = fleet.open;
  assert.deepEqual(own?.hosts, []);
  fleet.feed(web.host, [web.host.batch()]);
  await fleet.run();
  const merged = fleet.incidents.find(({ id }) => id === own?.id);
  assert.equal(merged?.state, 'merged');
  assert.equal(merged?.mergedInto, fleet.open[0]?.id);
  assert.equal(fleet.open[0]?.joined[0]?.id, own?.id);
});

test('an incident of very many hosts with very many alerts stays under 900 kB and counts what it omits', async () => {
  const web = new Machine(1);
  const shell = web.webShell();
  const fleet = new TestFleet({ maxAlerts: 200 });
  const long = 'x'.repeat(3000);
  for (let i = 2; i <= 71; i++) {
    const machine = new Machine(i);
    machine.wait(i * 1_000_000);
    const { host } = machine;
    web.ssh(web.host.spawn(shell, '/bin/sh'), machine, 41_000 + i);
    const inside = machine.login(web.address, 41_000 + i);
    for (let n = 0; n < 60; n++) machine.persist(host.spawn(inside, `/bin/${n}-${long}`, [long, long]));
    fleet.feed(host, [host.batch()]);
  }
  fleet.feed(web.host, [web.host.batch()]);
  await fleet.run();
  const sizes = fleet.outputs.map(({ topic, value }) => [topic, value?.length ?? 0] as const);
  assert.ok(sizes.every(([, size]) => size <= 900_000));
  const last = fleet.outputs.findLast(({ topic, key }) => topic === TOPIC.incidents && key === fleet.open[0]?.id);
  const incident = decode('Incident', last?.value ?? new Uint8Array());
  assert.ok(incident.joined.length > 50, `${incident.joined.length}`);
  assert.ok(incident.omittedAlerts > 1000);
  assert.ok(incident.alerts.length >= 2 && incident.stages.length >= 2);
});
