import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestHost, O, type TestHost } from '@ringfence/testkit';
import { decode, encode } from '@ringfence/wire';
import { CRON, createFeed, createTestDetector, detectOne, found, latest, loginShell, TestStore } from './support.ts';

const QUIET = `
- rule: Read, and stayed quiet
  desc: Nobody connects after the hashes were read
  condition: sequence by process.entity_id with maxspan=3s [ event.action = open and file.path = /etc/shadow ] ![ event.action = connect ]
  output: "%process.name read %1.file.path"
  priority: error
  tags: [credential-access, T1003.008]
`;

const later = (host: TestHost): void => {
  for (let second = 0; second < 8; second++) host.tick();
};

test('the alert of a missing event is about the last event, and is added to its chain', () => {
  const host = createTestHost();
  const feed = createFeed(host);
  const detector = createTestDetector({}, CRON + QUIET);
  const bash = loginShell(host);
  host.open(bash, '/etc/cron.d/job', O.WRONLY | O.CREAT);
  const cat = host.spawn(bash, '/usr/bin/cat');
  host.open(cat, '/etc/shadow');
  host.exit(cat);
  assert.deepEqual(
    detectOne(detector, feed.next()).alerts.map(({ rule }) => rule),
    ['Cron changed'],
  );
  later(host);
  const { alerts, incidents } = detectOne(detector, feed.next());
  const [alert] = alerts;
  assert.deepEqual(
    alert?.lineage.slice(0, 4).map(({ executable }) => executable),
    ['/usr/bin/cat', '/bin/bash', '/usr/sbin/sshd', '/usr/sbin/sshd'],
  );
  assert.deepEqual(
    [alert?.output, alert?.kind, alert?.fields['1.file.path']],
    ['cat read /etc/shadow', 'open', '/etc/shadow'],
  );
  assert.equal(alert?.lineage[0]?.pid, cat.tgid);
  const [incident] = latest(incidents);
  assert.deepEqual(
    incident?.alerts.map(({ rule }) => rule),
    ['Cron changed', 'Read, and stayed quiet'],
  );
});

test('a restart in between gives the same alert', async () => {
  const host = createTestHost();
  const feed = createFeed(host);
  const bash = loginShell(host);
  host.open(bash, '/etc/shadow');
  const first = feed.next();
  later(host);
  const second = feed.next();
  const whole = createTestDetector({}, QUIET);
  const store = new TestStore();
  store.apply(whole.handle(first));
  const restarted = createTestDetector({}, QUIET);
  await restarted.restore(store.entries());
  const expected = found(whole.handle(second));
  assert.equal(expected.alerts.length, 1);
  assert.deepEqual(found(restarted.handle(second)), expected);
});

test('a damaged event in the memory of a sequence is dropped and counted, and no tick throws', async () => {
  const host = createTestHost();
  const feed = createFeed(host);
  host.open(loginShell(host), '/etc/shadow');
  const store = new TestStore();
  store.apply(createTestDetector({}, QUIET).handle(feed.next()));
  later(host);
  const ticks = feed.next();
  let dropped = 0;
  const [size] = (await keptBytes(store)).map(({ length }) => length);
  for (let at = 0; at < size!; at += 3) {
    for (const byte of [0x00, 0x7f, 0xff]) {
      const restarted = createTestDetector({}, QUIET);
      await restarted.restore(withKept(store, (kept) => kept.fill(byte, at, at + 1)));
      const { alerts } = found(restarted.handle(ticks));
      const { damagedEntries } = restarted.stats();
      assert.equal(alerts.length + damagedEntries, 1, `byte ${at}`);
      dropped += damagedEntries;
    }
  }
  assert.ok(dropped > 0);
  const short = createTestDetector({}, QUIET);
  await short.restore(withKept(store, (kept) => kept.subarray(0, kept.length / 2)));
  assert.deepEqual([found(short.handle(ticks)).alerts.length, short.stats().damagedEntries], [0, 1]);
});

/** The entries, with a change to the event that a sequence keeps */
async function* withKept(store: TestStore, change: (kept: Buffer) => Uint8Array): ReturnType<TestStore['entries']> {
  for await (const entry of store.entries()) {
    if (!entry.key.startsWith('t/')) {
      yield entry;
      continue;
    }
    const outer = decode('StateRuleMemory', entry.value);
    const fields = JSON.parse(Buffer.from(outer.value).toString());
    for (const hit of fields[4])
      if (hit[6] !== undefined) hit[6] = Buffer.from(change(Buffer.from(hit[6], 'base64'))).toString('base64');
    const value = Buffer.from(JSON.stringify(fields));
    yield { ...entry, value: encode('StateRuleMemory', { ...outer, value }) };
  }
}

async function keptBytes(store: TestStore): Promise<Buffer[]> {
  const all: Buffer[] = [];
  const look = (kept: Buffer): Buffer => {
    all.push(kept);
    return kept;
  };
  await Array.fromAsync(withKept(store, look));
  return all;
}

test('suppress and throttle hold such alerts back as well', () => {
  const raised = (limits: string): string[] => {
    const host = createTestHost();
    const bash = loginShell(host);
    for (const name of ['cat', 'cat', 'less']) host.open(host.spawn(bash, `/usr/bin/${name}`), '/etc/shadow');
    later(host);
    const detector = createTestDetector({}, QUIET + limits);
    const { alerts } = detectOne(detector, createFeed(host).next());
    assert.equal(detector.stats().heldAlerts, 3 - alerts.length);
    return alerts.map(({ output }) => output);
  };
  const [cat, less] = ['cat read /etc/shadow', 'less read /etc/shadow'];
  assert.deepEqual(raised(''), [cat, cat, less]);
  assert.deepEqual(raised('  suppress: { by: [process.executable], for: 1m }\n'), [cat, less]);
  assert.deepEqual(raised('  throttle: { alerts: 1, per: 1h }\n'), [cat]);
});
