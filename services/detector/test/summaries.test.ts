import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestHost, O, type TestHost } from '@ringfence/testkit';
import { decode, encode } from '@ringfence/wire';
import { CRON, createFeed, createTestDetector, detectOne, found, latest, loginShell, TestStore } from './support.ts';

const FEW = `
- rule: Few connections
  desc: A process made one connection or two within three seconds
  condition: event.action = connect
  summary: { count: events, at_most: 2, by: [process.entity_id], within: 3s }
  output: "%process.name connected to %destination.ip first"
  priority: error
  tags: [command-and-control, T1071]
`;

const later = (host: TestHost): void => {
  for (let second = 0; second < 8; second++) host.tick();
};

test('a summary raises its alert at the end of the window, about the first event, and in its chain', () => {
  const host = createTestHost();
  const feed = createFeed(host);
  const detector = createTestDetector({}, CRON + FEW);
  const bash = loginShell(host);
  host.open(bash, '/etc/cron.d/job', O.WRONLY | O.CREAT);
  const curl = host.spawn(bash, '/usr/bin/curl');
  host.connect(curl, '203.0.113.1', 443);
  host.connect(curl, '203.0.113.2', 443);
  const busy = host.spawn(bash, '/usr/bin/nmap');
  for (let n = 1; n <= 3; n++) host.connect(busy, `203.0.113.${n}`, 443);
  host.exit(curl);
  assert.deepEqual(
    detectOne(detector, feed.next()).alerts.map(({ rule }) => rule),
    ['Cron changed'],
  );
  later(host);
  const { alerts, incidents } = detectOne(detector, feed.next());
  assert.deepEqual(
    alerts.map(({ output, kind, lineage }) => [output, kind, lineage[0]?.pid, lineage[1]?.executable]),
    [['curl connected to 203.0.113.1 first', 'connect', curl.tgid, '/bin/bash']],
  );
  assert.deepEqual(
    latest(incidents)[0]?.alerts.map(({ rule }) => rule),
    ['Cron changed', 'Few connections'],
  );
});

test('a restart in between gives the same alert, and a damaged event is dropped and counted', async () => {
  const host = createTestHost();
  const feed = createFeed(host);
  host.connect(loginShell(host), '203.0.113.1', 443);
  const first = feed.next();
  later(host);
  const second = feed.next();
  const whole = createTestDetector({}, FEW);
  const store = new TestStore();
  store.apply(whole.handle(first));
  const restarted = createTestDetector({}, FEW);
  await restarted.restore(store.entries());
  const expected = found(whole.handle(second));
  assert.equal(expected.alerts.length, 1);
  assert.deepEqual(found(restarted.handle(second)), expected);
  const damaged = createTestDetector({}, FEW);
  await damaged.restore(withoutWitness(store));
  assert.deepEqual([found(damaged.handle(second)).alerts.length, damaged.stats().damagedEntries], [0, 1]);
});

/** The entries, with half of the event that a summary keeps cut off */
async function* withoutWitness(store: TestStore): ReturnType<TestStore['entries']> {
  for await (const entry of store.entries()) {
    const outer = entry.key.startsWith('t/') ? decode('StateRuleMemory', entry.value) : undefined;
    if (outer === undefined) {
      yield entry;
      continue;
    }
    const fields = JSON.parse(Buffer.from(outer.value).toString());
    const witness = fields.findIndex((field: unknown) => typeof field === 'string');
    fields[witness] = fields[witness].slice(0, fields[witness].length / 2);
    const value = Buffer.from(JSON.stringify(fields));
    yield { ...entry, value: encode('StateRuleMemory', { ...outer, value }) };
  }
}
