import assert from 'node:assert/strict';
import test from 'node:test';
import type { InRecord } from '@ringfence/bus';
import { testRecords } from '@ringfence/testkit';
import {
  decode,
  encodeSigned,
  type Feedback,
  type Incident,
  type StatusChange,
  TOPIC,
  type TriageState,
  type Verdict,
} from '@ringfence/wire';
import { DetectorError, type DetectorPipeline } from '../src/index.ts';
import { Machine, TestFleet } from './fleet.ts';
import { createFeed, createTestDetector, type Found, found, latest, TestStore } from './support.ts';

let at = 1;

function changeTo(status: TriageState, verdict: Verdict = 'undecided', by = 'ann'): StatusChange {
  return { status, verdict, by, note: 'why', at: at++ };
}

function say(
  incident: Incident | null,
  change: StatusChange,
  subject = incident?.id ?? '',
  hostId = 'host-1',
): InRecord[] {
  return testRecords(hostId, [encodeSigned('Feedback', { subject, hostId, change, incident }, null)], TOPIC.feedback);
}

/** Raises one critical alert on a machine, which is an incident. */
function raised(detector: DetectorPipeline, machine = new Machine(1)): Found & { readonly machine: Machine } {
  const { host } = machine;
  host.credentials(host.spawn(host.init, '/bin/sh'), 0);
  return { ...found(detector.handle(createFeed(host).next())), machine };
}

/** Without the classes of decoded records */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const only = ({ incidents }: Found): Incident => {
  const [incident, ...more] = latest(incidents);
  assert.ok(incident !== undefined && more.length === 0);
  return incident;
};

test('feedback makes a new version of the incident, once, and survives a restart', async () => {
  const detector = createTestDetector();
  const store = new TestStore();
  const machine = new Machine(1);
  machine.host.credentials(machine.host.spawn(machine.host.init, '/bin/sh'), 0);
  const effect = detector.handle(createFeed(machine.host).next());
  store.apply(effect);
  const first = only(found(effect));
  assert.deepEqual([first.status, first.verdict, first.history], ['new', 'undecided', []]);
  const change = changeTo('triaged');
  const said = say(first, change);
  const second = detector.handle(said);
  store.apply(second);
  assert.deepEqual(
    [only(found(second)).version, only(found(second)).status, plain(only(found(second)).history)],
    [2, 'triaged', [change]],
  );
  assert.deepEqual(detector.handle(said).outputs, [], 'redelivered feedback');
  const again = createTestDetector();
  await again.restore(store.entries());
  assert.deepEqual(again.handle(said).outputs, []);
  assert.equal(only(found(again.handle(say(first, changeTo('contained'))))).history.length, 2);
});

test('each false positive lowers the weight of a rule, until an alert alone is no incident', () => {
  const detector = createTestDetector();
  const machine = new Machine(1);
  const scores: number[] = [];
  for (const verdict of ['false_positive', 'false_positive'] as const) {
    const incident = only(raised(detector, machine));
    scores.push(incident.score);
    detector.handle(say(incident, changeTo('closed', verdict)));
  }
  const { incidents, alerts } = raised(detector, machine);
  assert.ok(scores[0]! > scores[1]!, String(scores));
  assert.equal(alerts.length, 1);
  assert.deepEqual(incidents, [], 'alone it is not an incident any more');
});

test('a new verdict takes the former one back', () => {
  const detector = createTestDetector();
  const machine = new Machine(1);
  const incident = only(raised(detector, machine));
  for (const verdict of ['false_positive', 'true_positive', 'false_positive'] as const)
    detector.handle(say(incident, changeTo('closed', verdict)));
  detector.handle(say(incident, changeTo('triaged')));
  const next = only(raised(detector, machine));
  assert.ok(next.score > 50, String(next.score));
});

test('feedback on a closed incident works from the record it carries, and no feedback is lost', () => {
  const detector = createTestDetector({ chainIdleMs: 2000 });
  const { machine, ...before } = raised(detector);
  const opened = only(before);
  for (let i = 0; i < 5; i++) machine.host.tick();
  const closed = only(found(detector.handle(createFeed(machine.host).of([machine.host.batch()]))));
  assert.deepEqual([closed.state, closed.version], ['closed', 2]);
  // Both were given before either was handled, one of them before the chain closed.
  const [triaged, judged] = [changeTo('triaged'), changeTo('closed', 'true_positive')];
  const one = only(found(detector.handle(say(opened, triaged))));
  const two = only(found(detector.handle(say(closed, judged))));
  assert.deepEqual([one.version, two.version], [3, 4]);
  assert.deepEqual([two.status, two.verdict, plain(two.history)], ['closed', 'true_positive', [triaged, judged]]);
  assert.deepEqual(detector.handle(say(null, changeTo('triaged'), 'inc-unknown')).outputs, []);
  assert.equal(detector.stats().feedbackToGone, 1);
});

test('a kill by the responder contains the incident of the alert, and does not reopen a closed one', () => {
  const detector = createTestDetector();
  const { alerts, ...before } = raised(detector);
  const alertId = alerts[0]?.id ?? '';
  const contained = only(found(detector.handle(say(null, changeTo('contained', 'undecided', 'responder'), alertId))));
  assert.deepEqual([contained.id, contained.status], [only({ alerts, ...before }).id, 'contained']);
  const twice = detector.handle(say(null, changeTo('contained', 'undecided', 'responder'), alertId));
  assert.deepEqual(twice.outputs, []);
  detector.handle(say(contained, changeTo('closed', 'true_positive')));
  assert.deepEqual(detector.handle(say(null, changeTo('contained', 'undecided', 'responder'), alertId)).outputs, []);
});

test('an incident that was closed is new again when its attack continues', () => {
  const detector = createTestDetector();
  const machine = new Machine(1);
  const { host } = machine;
  const feed = createFeed(host);
  const shell = host.spawn(host.init, '/bin/sh');
  host.credentials(shell, 0);
  const incident = only(found(detector.handle(feed.next())));
  detector.handle(say(incident, changeTo('closed', 'false_positive')));
  machine.steal(shell);
  const next = only(found(detector.handle(feed.next())));
  assert.deepEqual([next.status, next.verdict, next.history.at(-1)?.by], ['new', 'undecided', 'detector']);
  assert.match(next.history.at(-1)?.note ?? '', /went on/);
});

test('feedback on a member is forwarded to the incident on the other host', async () => {
  const [web, db] = [new Machine(1), new Machine(2)];
  web.ssh(web.webShell(), db, 41_000);
  db.wait(1_000_000);
  db.persist(db.login(web.address, 41_000));
  const fleet = new TestFleet();
  fleet.feed(web.host, [web.host.batch()]);
  fleet.feed(db.host, [db.host.batch()]);
  await fleet.run();
  const [incident] = fleet.open;
  const alertId = incident?.alerts.find(({ rule }) => rule === 'Cron changed')?.id ?? '';
  const change = changeTo('contained', 'undecided', 'responder');
  const { outputs } = fleet.detector(db.host).handle(say(null, change, alertId, 'host-2'));
  const [forwarded] = outputs.map(({ value }): Feedback => decode('Feedback', value ?? new Uint8Array()));
  assert.deepEqual([forwarded?.subject, forwarded?.hostId, plain(forwarded?.change)], [incident?.id, 'host-1', change]);
});

test('feedback under the wrong key, or beyond its bounds, changes nothing', () => {
  const detector = createTestDetector();
  const incident = only(raised(detector));
  const long = { ...changeTo('triaged'), note: 'x'.repeat(2000) };
  for (const [records, code] of [
    [say(incident, changeTo('triaged'), incident.id, 'host-2'), 'ERR_DETECTOR_KEY'],
    [say(incident, changeTo('triaged'), 'another'), 'ERR_DETECTOR_KEY'],
    [say(incident, long), 'ERR_DETECTOR_BOUNDS'],
  ] as const)
    assert.throws(
      () => detector.handle(records),
      (error) => error instanceof DetectorError && error.code === code,
    );
});
