import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type InRecord, openEmbeddedBus } from '@ringfence/bus';
import { createEnricherPipeline, startEnricher } from '@ringfence/enricher';
import { testRecords } from '@ringfence/testkit';
import {
  claimedSigner,
  createSigningKey,
  decode,
  encodeSigned,
  type SigningKey,
  TOPIC,
  topicsWith,
  verifyRecord,
} from '@ringfence/wire';
import { createDetectorPipeline, createEdgePipeline, startDetector, type Trust } from '../src/index.ts';
import { createStats } from '../src/metrics.ts';
import type { NewJoin } from '../src/turn.ts';
import { Machine } from './fleet.ts';
import { createTestRules, RULES } from './support.ts';

const keys = {
  enricher: createSigningKey(),
  detector: createSigningKey(),
  responder: createSigningKey(),
  auditor: createSigningKey(),
};

const trusted: Trust = (role) => (keyId) => (keys[role].keyId === keyId ? keys[role].publicKey : undefined);

function attacked(key: SigningKey | null): InRecord[] {
  const machine = new Machine(1);
  machine.ssh(machine.webShell(), new Machine(2), 41_000);
  const { host } = machine;
  host.credentials(host.spawn(host.init, '/bin/sh'), 0);
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey }, key });
  const { outputs } = enricher.handle(testRecords(host.hostId, [host.batch()]));
  return testRecords(
    host.hostId,
    outputs.flatMap(({ value }) => value ?? []),
    TOPIC.events,
  );
}

const detectorWith = (key: SigningKey | null) =>
  createDetectorPipeline({ rules: createTestRules(), key, trusted, stats: createStats() });

test('records of the detector are signed, and a replay gives the same bytes', () => {
  const input = attacked(keys.enricher);
  const [first, again] = [1, 2].map(() => detectorWith(keys.detector).handle(input).outputs);
  assert.deepEqual(first, again);
  assert.deepEqual(new Set(first?.map(({ topic }) => topic)), new Set([TOPIC.alerts, TOPIC.incidents, TOPIC.edges]));
  for (const { value } of first ?? []) {
    assert.equal(claimedSigner(value as Uint8Array), keys.detector.keyId);
    assert.ok(verifyRecord(keys.detector.publicKey, value as Uint8Array));
  }
});

test('batches need the signature of an enricher, edges and joins that of a detector; others are refused and counted', async () => {
  const forgers = [null, keys.detector, createSigningKey()];
  for (const forger of forgers) {
    const detector = detectorWith(keys.detector);
    const records = attacked(forger);
    await detector.ahead(records);
    assert.throws(() => detector.handle(records), { code: 'ERR_DETECTOR_FORGED', fate: 'poison' });
    assert.deepEqual([detector.stats().forged, detector.stats().events], [1, 0]);
  }
  const altered = attacked(keys.enricher).map((record) => {
    const value = Buffer.from(record.value ?? []);
    value[value.length >>> 1] = (value[value.length >>> 1] ?? 0) ^ 1;
    return { ...record, value };
  });
  assert.throws(() => detectorWith(null).handle(altered), { code: 'ERR_DETECTOR_FORGED' });
  const ref = { chainId: 'inc-1', hostId: 'host-1', openedAt: 1 };
  const words = { edge: 'e', kind: 'connection', why: '', at: 1, reason: null };
  const joined = {
    ...words,
    hostId: 'host-1',
    into: ref,
    from: { ...ref, chainId: 'inc-2', hostId: 'host-2' },
    chain: null,
    rules: [],
  };
  const edge = { ...words, end: 'source', detail: 'd', ...ref, alertId: 'a' };
  const [by, not] = [keys.detector, keys.enricher];
  const take = (key: SigningKey | null): void =>
    void detectorWith(by).handle(testRecords('host-1', [encodeSigned('Join', joined, key)], TOPIC.joins));
  const see = (key: SigningKey | null): void =>
    void createEdgePipeline({ trusted, stats: createStats() }).handle(
      testRecords('e', [encodeSigned('Edge', edge, key)], TOPIC.edges),
    );
  for (const call of [take, see]) {
    call(by);
    for (const forger of [null, not, createSigningKey()])
      assert.throws(() => call(forger), { code: 'ERR_DETECTOR_FORGED', fate: 'poison' });
  }
});

test('a join or an edge under the key of another record is refused', () => {
  const ref = { chainId: 'inc-1', hostId: 'host-1', openedAt: 1 };
  const join: NewJoin = {
    edge: 'e',
    kind: 'k',
    why: '',
    reason: null,
    at: 1,
    hostId: 'host-1',
    into: ref,
    from: ref,
    chain: null,
    rules: [],
  };
  const take = (key: string, value: NewJoin): void =>
    void createDetectorPipeline({ rules: createTestRules() }).handle(
      testRecords(key, [encodeSigned('Join', value, null)], TOPIC.joins),
    );
  assert.throws(() => take('host-2', join), { code: 'ERR_DETECTOR_KEY' });
  assert.throws(() => take('host-3', { ...join, hostId: 'host-3' }), { code: 'ERR_DETECTOR_KEY' });
  assert.throws(() => take('host-1', { ...join, why: 'w'.repeat(5000) }), { code: 'ERR_DETECTOR_BOUNDS' });
  const rule = { rule: 'r', weight: 1, at: 1 };
  for (const rules of [[{ ...rule, weight: Number.NaN }], Array.from({ length: 257 }, () => rule)])
    assert.throws(() => take('host-1', { ...join, rules }), { code: 'ERR_DETECTOR_BOUNDS' });
  const edge = { edge: 'e', kind: 'k', end: '', detail: 'd', at: 1, ...ref, alertId: 'a' };
  const see = (): void =>
    void createEdgePipeline({ stats: createStats() }).handle(
      testRecords('other', [encodeSigned('Edge', edge, null)], TOPIC.edges),
    );
  assert.throws(see, { code: 'ERR_DETECTOR_KEY' });
});

test('in a fleet a detector publishes its interest, signed, and withdraws it when it stops', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const directory = place.path;
  await writeFile(join(directory, 'rules.yaml'), RULES);
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const detector = await startDetector({ bus, rulePaths: [directory], instance: 'detector-1', key: keys.detector });
  const said = async (): Promise<(Uint8Array | null)[]> => {
    const values: (Uint8Array | null)[] = [];
    for await (const { key, value } of bus.read({ topic: TOPIC.interest })) {
      assert.equal(key, 'detector-1');
      values.push(value);
    }
    return values;
  };
  const [first] = await said();
  assert.ok(first);
  assert.ok(verifyRecord(keys.detector.publicKey, first));
  assert.deepEqual(decode('InterestRecord', first).openNames, ['shadow']);
  await writeFile(join(directory, 'rules.yaml'), RULES.replace('/etc/shadow', '/etc/gshadow'));
  await detector.reload();
  const newest = (await said()).findLast((value) => value !== null);
  assert.deepEqual(decode('InterestRecord', newest ?? new Uint8Array()).openNames, ['gshadow']);
  await detector.close();
  assert.equal((await said()).at(-1), null);
});

test('the running service joins hosts of one embedded log', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const directory = place.path;
  await writeFile(join(directory, 'rules.yaml'), RULES);
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(2));
  const [web, db] = [new Machine(1), new Machine(2)];
  const hosts = new Map([web, db].map(({ host }) => [host.hostId, host.key.publicKey]));
  const enricher = await startEnricher({ bus, enrolment: { keyFor: (id) => hosts.get(id) }, key: keys.enricher });
  const detector = await startDetector({ bus, rulePaths: [directory], trusted, key: keys.detector });
  db.wait(1_000_000);
  web.ssh(web.webShell(), db, 41_000);
  db.persist(db.login(web.address, 41_000));
  for (const { host } of [db, web]) await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
  for await (const { value } of bus.read({ topic: TOPIC.incidents, follow: true })) {
    const incident = decode('Incident', value ?? new Uint8Array());
    assert.deepEqual(incident.hosts, ['host-1', 'host-2']);
    break;
  }
  assert.equal(detector.stats().forged, 0);
  await detector.close();
  await enricher.close();
});
