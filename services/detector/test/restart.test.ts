import assert from 'node:assert/strict';
import test from 'node:test';
import type { InRecord, OutRecord } from '@ringfence/bus';
import { createTestHost, O, type TestHost, type TestProcess } from '@ringfence/testkit';
import fc from 'fast-check';
import { createFeed, createTestDetector, found, latest, RULES, TestStore } from './support.ts';

const THRESHOLD = `${RULES}
- rule: Many connections
  desc: A process connects to many ports
  condition: event.action = connect
  priority: error
  tags: [discovery, T1046]
  threshold: { distinct: destination.port, at_least: 3, by: [process.entity_id], within: 10s }
- rule: Wrote, then connected
  desc: A process wrote cron's files, and one like it connected twice
  condition: >
    sequence by process.entity_id with maxspan=20s [ event.action = open and file.open.write = true ] as $w
    ![ event.action = credentials ] [ event.action = connect ] with runs=2 until [ event.action = exit ]
  output: "%1.file.path, then %process.name"
  priority: error
- rule: Looked, and did nothing
  desc: Nobody connects after the hashes were read
  condition: sequence by process.entity_id with maxspan=3s [ event.action = open and file.path = /etc/shadow ] ![ event.action = connect ]
  priority: notice
- rule: Few connections
  desc: A process made one connection or two
  condition: event.action = connect
  summary: { count: events, at_most: 2, by: [process.entity_id], within: 4s }
  priority: notice
- rule: High ports
  desc: Most connections go to high ports
  condition: event.action = connect
  summary: { median: destination.port, above: 1, within: 3s }
  priority: notice
- rule: New port
  desc: A process connects to a port that is new on its host
  condition: event.action = connect
  first_seen: { by: [process.executable, destination.port], within: 20s, learn: 2s }
  priority: notice
`;
const OPTIONS = { chainIdleMs: 4000, maxChains: 4, maxAlerts: 6, maxEntities: 24, repeatsPerMinute: 2 };

/** Plays random logins, shells in shells, writes, scans and ticks. */
function play(host: TestHost, steps: readonly number[]): Buffer[] {
  const batches: Buffer[] = [];
  host.hashes();
  host.snapshot(host.init, '/usr/lib/systemd/systemd');
  const sshd = host.spawn(host.init, '/usr/sbin/sshd');
  const shells: TestProcess[] = [host.spawn(host.spawn(sshd, '/usr/sbin/sshd'), '/bin/bash')];
  for (const step of steps) {
    const shell = shells[(step >>> 4) % shells.length] ?? host.init;
    const kind = step % 15;
    if (kind === 0) shells.push(host.spawn(host.spawn(sshd, '/usr/sbin/sshd'), '/bin/bash'));
    else if (kind === 1) shells.push(host.spawn(shell, '/bin/sh'));
    else if (kind === 2) host.open(shell, '/etc/shadow');
    else if (kind === 3) host.open(shell, '/etc/crontab', O.WRONLY);
    else if (kind === 4) host.open(shell, `/tmp/f${step % 3}`, O.WRONLY);
    else if (kind === 5) shells.push(host.spawn(shell, `/tmp/f${step % 3}`));
    else if (kind === 6) host.credentials(shell, step % 2);
    else if (kind === 7) host.connect(shell, '10.0.0.1', step % 5);
    else if (kind === 8) host.spawn(shell, '/usr/bin/id');
    else if (kind === 9) host.open(host.init, '/etc/shadow');
    else if (kind === 10) host.socket(shell, { operation: 3, result: 0, port: 1 + ((step >>> 8) % 3) });
    else if (kind === 11) host.connect(shell, '127.0.0.1', 1 + ((step >>> 8) % 3));
    else if (kind === 12) host.hash(shell, `/tmp/f${step % 3}`, { sha256: `${step % 3}0`.repeat(32) });
    else if (kind === 13) {
      const found = host.unseen(host.init);
      found.sessionId = 1 + ((step >>> 8) % 3);
      shells.push(host.snapshot(found, '/bin/bash'));
    } else host.tick(1 + (step % 3));
    if (step % 4 === 0) batches.push(host.batch());
  }
  batches.push(host.batch());
  return batches;
}

const hex = (outputs: readonly OutRecord[]): string[] =>
  outputs.map(({ topic, value }) => `${topic} ${Buffer.from(value ?? []).toString('hex')}`);
/** Without the memory of rules, which may drop expired entries a tick earlier or later */
const chainsAndHosts = (store: TestStore): string[] => store.dump().filter((line) => !line.startsWith('t/'));
const withThreshold = (): ReturnType<typeof createTestDetector> => createTestDetector(OPTIONS, THRESHOLD);

/** One tick raises two alerts, of which the later one began to wait first. */
const RAISED_ON_ONE_TICK = [45_827, 52_964, 16_577, 13_569, 39_464, 39_089, ...Array<number>(20).fill(0)];

test('a restart after any record gives the same alerts, incidents and state as no restart', async () => {
  const key = createTestHost().key;
  const steps = fc.array(fc.nat({ max: 1 << 16 }), { minLength: 20, maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(steps, async (chosen) => {
      const host = createTestHost({ key });
      const input = createFeed(host).of(play(host, chosen));
      const whole = withThreshold();
      const wholeStore = new TestStore();
      const store = new TestStore();
      const expected: string[] = [];
      for (const record of input) {
        const effect = whole.handle([record]);
        wholeStore.apply(effect);
        const restarted = withThreshold();
        await restarted.restore(store.entries());
        const again = restarted.handle([record]);
        store.apply(again);
        assert.deepEqual(hex(again.outputs), hex(effect.outputs));
        assert.deepEqual(chainsAndHosts(store), chainsAndHosts(wholeStore));
        expected.push(...hex(effect.outputs));
      }
      assert.deepEqual(hex(withThreshold().handle(input).outputs), expected, 'the grouping of records does not matter');
    }),
    { numRuns: 12, examples: [[RAISED_ON_ONE_TICK]] },
  );
});

test('redelivered records have no second effect', async () => {
  const host = createTestHost();
  const input = createFeed(host).of(
    play(
      host,
      Array.from({ length: 400 }, (_, i) => (i * 7919) % 65_537),
    ),
  );
  const detector = withThreshold();
  const store = new TestStore();
  const first = detector.handle(input);
  store.apply(first);
  assert.ok(found(first).alerts.length > 20 && latest(found(first).incidents).length > 1);
  const moved: InRecord[] = input.map((record) => ({ ...record, offset: record.offset + input.length }));
  assert.deepEqual(detector.handle(moved).outputs, []);
  const restarted = withThreshold();
  await restarted.restore(store.entries());
  assert.deepEqual(restarted.handle(input).outputs, []);
});

test('versions of an incident rise by one, and alert ids never repeat', () => {
  const host = createTestHost();
  const input = createFeed(host).of(
    play(
      host,
      Array.from({ length: 600 }, (_, i) => (i * 104_729) % 65_537),
    ),
  );
  const { alerts, incidents } = found(withThreshold().handle(input));
  assert.equal(new Set(alerts.map(({ id }) => id)).size, alerts.length);
  const versions = new Map<string, number>();
  for (const { id, version } of incidents) {
    assert.equal(version, (versions.get(id) ?? 0) + 1);
    versions.set(id, version);
  }
});

test('a damaged state entry stops the restart, and the error names it', async () => {
  const host = createTestHost();
  const store = new TestStore();
  const [record] = createFeed(host).of(play(host, [2, 3, 6]));
  assert.ok(record !== undefined);
  store.apply(withThreshold().handle([record]));
  for await (const entry of store.entries()) {
    const cut = Buffer.from(entry.value).subarray(0, entry.value.length - 1);
    for (const value of [cut, Buffer.from('{"id": 5}'), Buffer.from('[5]'), Buffer.alloc(40)]) {
      const damaged = async function* () {
        yield { ...entry, value };
      };
      await assert.rejects(withThreshold().restore(damaged()), { code: 'ERR_DETECTOR_STATE', key: entry.key });
    }
  }
});

test('a flood of repetitions writes counts, not the chain', () => {
  const host = createTestHost();
  const feed = createFeed(host);
  const detector = createTestDetector();
  const shell = host.spawn(host.init, '/bin/bash');
  host.open(shell, '/etc/shadow');
  const keysOf = (records: readonly InRecord[]): string[] =>
    detector.handle(records).state.map(({ key }) => key.slice(0, 2));
  assert.deepEqual(keysOf(feed.next()), ['h/', 'c/']);
  for (let i = 0; i < 100; i++) host.open(shell, '/etc/shadow');
  assert.deepEqual(keysOf(feed.next()), ['h/', 'n/']);
});
