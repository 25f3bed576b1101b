import assert from 'node:assert/strict';
import test from 'node:test';
import { O, testRecords } from '@ringfence/testkit';
import { encodeSigned, type Incident, TOPIC } from '@ringfence/wire';
import type { DetectorPipeline } from '../src/index.ts';
import { Machine, TestFleet } from './fleet.ts';
import { createFeed, createTestDetector, found, latest, RULES, TestStore } from './support.ts';

const HOUR_US = 3_600_000_000;

/** Returns the score of one shell that does this. */
function scored(act: (machine: Machine, shell: ReturnType<Machine['host']['spawn']>) => void): number {
  const machine = new Machine(1);
  act(machine, machine.host.spawn(machine.host.init, '/bin/sh'));
  const { incidents } = found(createTestDetector({ incidentThreshold: 1 }).handle(createFeed(machine.host).next()));
  const [incident, ...more] = latest(incidents);
  assert.ok(incident !== undefined && more.length === 0);
  return incident.score;
}

const ONE_WARNING = scored(({ host }, shell) => host.open(shell, '/etc/shadow'));

test('a second rule of another tactic scores more than a second rule of the same', () => {
  const twice = scored(({ host }, shell) => {
    host.open(shell, '/etc/shadow');
    host.open(shell, '/etc/shadow');
  });
  const two = scored(({ host }, shell) => {
    host.open(shell, '/etc/shadow');
    host.open(shell, '/etc/crontab', O.WRONLY);
  });
  assert.equal(twice, ONE_WARNING, 'a repetition adds nothing');
  assert.ok(two > 2 * ONE_WARNING, `${two} of ${ONE_WARNING}`);
});

test('a more severe alert scores more', () => {
  const notice = scored(({ host }, shell) => void host.spawn(shell, '/usr/bin/id'));
  const critical = scored(({ host }, shell) => host.credentials(shell, 0));
  assert.ok(notice < ONE_WARNING && ONE_WARNING < critical, `${notice} ${ONE_WARNING} ${critical}`);
});

test('the weight of an alert halves in an hour of event time', () => {
  const late = scored((machine, shell) => {
    machine.host.open(shell, '/etc/shadow');
    machine.wait(HOUR_US);
    machine.host.spawn(shell, '/usr/bin/id');
  });
  const atOnce = scored(({ host }, shell) => {
    host.open(shell, '/etc/shadow');
    host.spawn(shell, '/usr/bin/id');
  });
  // From the score back to the sum: score = 100 · sum / (sum + 60).
  const sum = (score: number): number => (60 * score) / (100 - score);
  const [warning, notice] = [16 * 1.2, 5 * 1.2];
  assert.ok(Math.abs(sum(atOnce) - 1.5 * (warning + notice)) < 0.2, String(sum(atOnce)));
  assert.ok(Math.abs(sum(late) - 1.5 * (warning / 2 + notice)) < 0.2, String(sum(late)));
});

test('a rule that is rare on other hosts scores more, also after a restart', async () => {
  const store = new TestStore();
  const score = (detector: DetectorPipeline, number: number): number => {
    const { host } = new Machine(number);
    host.open(host.spawn(host.init, '/bin/sh'), '/etc/shadow');
    const effect = detector.handle(createFeed(host).next());
    store.apply(effect);
    return found(effect).incidents[0]!.score;
  };
  const before = createTestDetector({ incidentThreshold: 1 });
  const scores = [score(before, 1), score(before, 2)];
  const after = createTestDetector({ incidentThreshold: 1 });
  await after.restore(store.entries());
  scores.push(score(after, 3), score(after, 4));
  assert.deepEqual(
    scores,
    [...new Set(scores)].toSorted((a, b) => b - a),
    String(scores),
  );
});

test('a rule scores under any name', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const { host } = new Machine(1);
    const feed = createFeed(host);
    const detector = createTestDetector({}, RULES.replace('Became root', name));
    const shell = host.spawn(host.init, '/bin/sh');
    host.credentials(shell, 0);
    const [incident] = found(detector.handle(feed.next())).incidents;
    assert.ok(incident !== undefined && incident.score > 50, `${name}: ${incident?.score}`);
    assert.equal(Reflect.get({}, 'ktime'), undefined);
  }
});

/** Returns the incident of two hosts, of which the second one is entered from the first. */
async function crossed(fleet: TestFleet, web: Machine, db: Machine): Promise<Incident> {
  web.ssh(web.webShell(), db, 41_000);
  db.wait(1_000_000);
  db.persist(db.login(web.address, 41_000));
  for (const { host } of [web, db]) fleet.feed(host, [host.batch()]);
  await fleet.run();
  const incident = fleet.open.findLast(({ hostId }) => hostId === web.host.hostId);
  assert.deepEqual(
    incident?.alerts.map(({ rule }) => rule),
    ['Download and execute', 'Cron changed'],
  );
  return incident as Incident;
}

/** Returns the score of two warnings of distinct tactics whose rules were in this many chains before. */
function scoreOfTwo(first: number, second: number): number {
  const sum = 1.5 * 16 * (2 + 0.2 / (1 + first) + 0.2 / (1 + second));
  return Math.round((1000 * sum) / (sum + 60)) / 10;
}

test('a rule of a member has the weight of the host where it matched', async () => {
  const fleet = new TestFleet({ incidentThreshold: 1 });
  assert.equal((await crossed(fleet, new Machine(1), new Machine(2))).score, scoreOfTwo(0, 0));
  const common = new Machine(4);
  for (let i = 0; i < 9; i++) common.persist(common.host.spawn(common.host.init, '/bin/sh'));
  fleet.feed(common.host, [common.host.batch()]);
  await fleet.run();
  assert.equal((await crossed(fleet, new Machine(3), common)).score, scoreOfTwo(0, 9));
});

test('a false positive of several hosts lowers the rules of all of them', async () => {
  const fleet = new TestFleet({ incidentThreshold: 1 });
  const incident = await crossed(fleet, new Machine(1), new Machine(2));
  const detector = fleet.detector(incident);
  const change = { status: 'closed', verdict: 'false_positive', by: 'ann', note: '', at: 1 } as const;
  const { id: subject, hostId } = incident;
  const said = encodeSigned('Feedback', { subject, hostId, change, incident: null }, null);
  const [judged] = found(detector.handle(testRecords(hostId, [said], TOPIC.feedback))).incidents;
  assert.equal(judged?.score, incident.score, 'a rule that has matched keeps its weight');
  const next = new Machine(3);
  next.persist(next.host.spawn(next.host.init, '/bin/sh'));
  const [ofMember] = found(detector.handle(createFeed(next.host).next())).incidents;
  const sum = 16 * 1.2 * (2 / 3);
  assert.equal(ofMember?.score, Math.round((1000 * sum) / (sum + 60)) / 10);
});
