import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type Bus, type InRecord, MAX_RECORD_BYTES, openEmbeddedBus } from '@ringfence/bus';
import { testRecords } from '@ringfence/testkit';
import { createSigningKey, decode, encodeSigned, type SigningKey, TOPIC, topicsWith } from '@ringfence/wire';
import { ExchangeCounts } from '../src/fleet/exchange.ts';
import { RarityTopic } from '../src/fleet/rarity-topic.ts';
import { createDetectorPipeline, type DetectorPipeline, startDetector, type Trust } from '../src/index.ts';
import { createStats } from '../src/metrics.ts';
import { FleetRarity } from '../src/state/fleet-rarity.ts';
import { Host } from '../src/state/host.ts';
import { Rarity } from '../src/state/rarity.ts';
import { Machine } from './fleet.ts';
import { Attacked, countsOn, learnsFrom, machinesOf, scoreAfter, until } from './one-fleet.ts';
import { createFeed, createTestRules, found, RULES, TestStore } from './support.ts';

const TEN_S_US = 10_000_000;
const key = createSigningKey();
const trusted: Trust = () => (keyId) => (keyId === key.keyId ? key.publicKey : undefined);

async function createTestBus(partitions = 2): Promise<Bus> {
  const bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(partitions));
  return bus;
}

/** The detector of one partition on a real bus; its batches arrive ten seconds apart. */
class Member implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #partition: number;
  readonly store: TestStore;
  topic!: RarityTopic;
  pipeline!: DetectorPipeline;
  now = 0;

  private constructor(bus: Bus, partition: number, store: TestStore) {
    this.#bus = bus;
    this.#partition = partition;
    this.store = store;
  }

  static async start(bus: Bus, partition: number, store = new TestStore()): Promise<Member> {
    const member = new Member(bus, partition, store);
    const stats = createStats();
    member.topic = await RarityTopic.open({ bus, trusted: undefined, keyGraceMs: 0, stats, log: undefined });
    const { fleet } = member.topic;
    member.pipeline = createDetectorPipeline({ rules: createTestRules(), fleet, partition, stats });
    await member.pipeline.restore(store.entries());
    return member;
  }

  /** Handles the records and commits the effect. */
  async take(records: readonly InRecord[]): Promise<ReturnType<typeof found>> {
    const effect = this.handle(records);
    this.store.apply(effect);
    await this.#bus.produce(effect.outputs);
    return found(effect);
  }

  handle(records: readonly InRecord[]): ReturnType<DetectorPipeline['handle']> {
    this.now += TEN_S_US;
    return this.pipeline.handle(
      records.map((record) => ({ ...record, partition: this.#partition, timestamp: this.now })),
    );
  }

  /** Returns the score of an attack on a new host. */
  async attack(number: number): Promise<number> {
    const [incident] = (await this.take(attackOn(number))).incidents;
    assert.ok(incident !== undefined);
    return incident.score;
  }

  async tick(number: number): Promise<void> {
    const { host } = new Machine(number);
    host.tick();
    await this.take(createFeed(host).next());
  }

  /** Waits until this many records of the fleet are known. */
  async hears(records: number): Promise<void> {
    await until(`${records} records are heard`, async () => this.topic.fleet.changes >= records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.topic[Symbol.asyncDispose]();
  }
}

function attackOn(number: number): InRecord[] {
  const { host } = new Machine(number);
  host.credentials(host.spawn(host.init, '/bin/sh'), 0);
  return createFeed(host).next();
}

test('a rule that is common in one partition scores less in another, and the other way round', async () => {
  await using bus = await createTestBus();
  await using one = await Member.start(bus, 0);
  await using other = await Member.start(bus, 1);
  const before = [await one.attack(1), await one.attack(2), await one.attack(3)];
  assert.deepEqual(before, [scoreAfter(0), scoreAfter(1), scoreAfter(2)]);
  await other.hears(3);
  await other.tick(4);
  const there = await other.attack(5);
  assert.equal(there, scoreAfter(3));
  assert.ok(there < scoreAfter(0), 'by its own partition alone it would be new');
  await one.hears(4);
  await one.tick(6);
  assert.equal(await one.attack(7), scoreAfter(4));
});

test('a restart keeps the counts of the fleet, and a new member reads all of them', async () => {
  await using bus = await createTestBus();
  await using one = await Member.start(bus, 0);
  await using other = await Member.start(bus, 1);
  for (const number of [1, 2, 3]) await one.attack(number);
  await other.hears(3);
  await other.tick(4);
  // On another bus without any counts.
  await using empty = await createTestBus();
  await using restarted = await Member.start(empty, 1, other.store);
  assert.equal(await restarted.attack(5), scoreAfter(3));
  await using later = await Member.start(bus, 2);
  await later.tick(6);
  assert.equal(await later.attack(7), scoreAfter(3));
  // After a restart the partition publishes its counts again.
  await using again = await Member.start(empty, 0, one.store);
  await again.tick(8);
  const [counts] = (await countsOn(empty)).get('0')?.rules ?? [];
  assert.deepEqual({ ...counts }, { rule: 'Became root', chains: 3, truePositives: 0, falsePositives: 0 });
});

test('a batch that is redelivered after a crash is scored with the counts of the first time', async () => {
  await using bus = await createTestBus();
  await using one = await Member.start(bus, 0);
  await using other = await Member.start(bus, 1);
  await one.attack(1);
  await other.hears(1);
  await other.tick(2);
  const batch = attackOn(3);
  const [first] = found(other.handle(batch)).incidents;
  for (const number of [4, 5, 6]) await one.attack(number);
  await using again = await Member.start(bus, 1, other.store);
  await again.hears(1);
  assert.deepEqual(found(again.handle(batch)).incidents[0], first);
  assert.equal(first?.score, scoreAfter(1));
  assert.equal(await again.attack(7), scoreAfter(5), 'and the next by what is known now');
});

test('a false positive lowers the rule in the whole fleet, until it is taken back', async () => {
  await using bus = await createTestBus();
  await using one = await Member.start(bus, 0);
  await using other = await Member.start(bus, 1);
  const [incident] = (await one.take(attackOn(1))).incidents;
  assert.ok(incident !== undefined);
  const judge = async (verdict: 'false_positive' | 'true_positive', at: number): Promise<void> => {
    const change = { status: 'closed', verdict, by: 'ann', note: '', at } as const;
    const { id: subject, hostId } = incident;
    const said = encodeSigned('Feedback', { subject, hostId, change, incident: null }, null);
    await one.take(testRecords(hostId, [said], TOPIC.feedback));
  };
  await judge('false_positive', 1);
  await other.hears(2);
  await other.tick(2);
  assert.equal(await other.attack(3), scoreAfter(1, 2 / 3));
  await judge('true_positive', 2);
  await other.hears(4);
  await other.tick(4);
  assert.equal(await other.attack(5), scoreAfter(2));
});

test('counts without a valid signature or form are dead-lettered, and a tombstone removes nothing', async () => {
  await using bus = await createTestBus();
  const counts = (partition: number, chains = 1) => ({
    partition,
    at: 1,
    rules: [{ rule: 'Became root', chains, truePositives: 0, falsePositives: 0 }],
  });
  const say = (name: string, record: ReturnType<typeof counts>, by: SigningKey | null): Promise<void> =>
    bus.produce([{ topic: TOPIC.rarity, key: name, value: encodeSigned('RuleCounts', record, by) }]);
  await say('0', counts(0, 7), key);
  const stats = createStats();
  await using topic = await RarityTopic.open({ bus, trusted, keyGraceMs: 0, stats, log: undefined });
  const bad = [
    () => say('1', counts(1), null),
    () => say('1', counts(1), createSigningKey()),
    () => say('2', counts(1), key),
    () => say('1000', counts(1000), key),
    () => say('1', counts(1, -1), key),
    () => say('1', { ...counts(1), rules: Array.from({ length: 1025 }, () => counts(1).rules[0]!) }, key),
  ];
  for (const each of bad) await each();
  await bus.produce([{ topic: TOPIC.rarity, key: '0', value: null }]);
  await say('3', counts(3, 2), key);
  await until('the last is heard', async () => topic.fleet.changes === 2);
  assert.deepEqual(topic.fleet.othersThan(4, 10), counts(0, 9).rules);
  const letters: string[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.dlq })) letters.push(decode('DeadLetter', value!).code);
  const [forged, misplaced, wrong] = ['FORGED', 'KEY', 'BOUNDS'].map((code) => `ERR_DETECTOR_${code}`);
  assert.deepEqual(letters, [forged, forged, misplaced, misplaced, wrong, wrong]);
  assert.equal(stats.forged, 2);
});

test('a running service exchanges the counts of its partitions, and has them after a restart', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  await writeFile(join(place.path, 'rules.yaml'), RULES);
  await using bus = await createTestBus();
  const start = () => startDetector({ bus, rulePaths: [place.path], watchRules: false });
  const [common, rare] = machinesOf(2).map((machine) => new Attacked(machine, bus)) as [Attacked, Attacked];
  const before = await start();
  await learnsFrom(bus, common, rare);
  await before.close();
  const detector = await start();
  assert.equal(await rare.attack(), scoreAfter(4));
  await detector.close();
});

test('with very many rules, the counts of the most common ones fit in a record', () => {
  const rarity = new Rarity();
  const hosts = [new Host('host-1'), new Host('host-2')];
  const name = (i: number): string => `${i}`.padStart(256, 'x');
  for (const host of hosts) for (let i = 0; i < 3000; i++) rarity.note(host, name(i));
  for (let i = 2000; i < 3000; i++) rarity.note(hosts[0]!, name(i));
  const step = new ExchangeCounts({ rarity, fleet: new FleetRarity(), partition: 0, key: null });
  const position = { offset: 0, index: 0 };
  const [said] = step.exchange(0, position).outputs;
  assert.ok(said?.value != null && said.value.length < MAX_RECORD_BYTES);
  const { rules } = decode('RuleCounts', said.value);
  assert.equal(rules.length, 1024);
  assert.equal(rules.filter(({ chains }) => chains === 3).length, 1000);
  rarity.note(hosts[0]!, name(0));
  assert.deepEqual(step.exchange(TEN_S_US - 1, position).outputs, [], 'not all the time');
  assert.equal(step.exchange(TEN_S_US, position).outputs.length, 1);
  assert.deepEqual(step.exchange(2 * TEN_S_US, position).outputs, [], 'nothing is new');
});

test('taking back a verdict does not lower a rule that the incident got later', () => {
  const rarity = new Rarity();
  const hosts = [new Host('host-1'), new Host('host-2')] as const;
  rarity.judge(hosts[0], ['A'], 'undecided', 'false_positive');
  // The incident got the rule after the verdict.
  rarity.judge(hosts[1], ['A'], 'false_positive', 'undecided');
  const restored = new Rarity();
  for (const host of hosts) restored.add(host);
  assert.deepEqual([rarity.trustIn('A'), restored.trustIn('A')], [2 / 3, 2 / 3]);
});
