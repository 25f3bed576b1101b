import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import test from 'node:test';
import { openEmbeddedBus } from '@ringfence/bus';
import { createSyntheticHost } from '@ringfence/synthetic';
import { claimedSigner, createSigningKey, decode, signBytes, TOPIC, topicsWith, verifyRecord } from '@ringfence/wire';
import type { Enrolment } from '../src/config.ts';
import { startEnricher } from '../src/main.ts';
import { createEnricherPipeline } from '../src/pipeline.ts';
import { createTestEnricher, records } from './support.ts';

test('the output has the signature of the enricher, and a replay gives the same bytes', () => {
  const host = createSyntheticHost();
  const key = createSigningKey();
  host.spawn(host.init, '/bin/sh');
  const input = records(host, [host.batch()]);
  const enrolment = { keyFor: () => host.key.publicKey };
  const [first, again] = [1, 2].map(() => createEnricherPipeline({ enrolment, key }).handle(input).outputs[0]?.value);
  assert.ok(first && again);
  assert.equal(claimedSigner(first), key.keyId);
  assert.ok(verifyRecord(key.publicKey, first));
  assert.deepEqual(first, again);
  const unsigned = createEnricherPipeline({ enrolment }).handle(input).outputs[0]?.value;
  assert.equal(claimedSigner(unsigned as Uint8Array), '');
});

test('a batch that is sent again changes no state and gives no events', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.open(host.spawn(host.init, '/bin/sh'), '/etc/passwd');
  const batch = host.batch();
  enricher.handle(records(host, [batch]));
  const { events } = enricher.stats();
  const replayed = enricher.handle(records(host, [batch], 1));
  assert.deepEqual(
    replayed.outputs.flatMap(({ value }) => decode('EventBatch', value ?? new Uint8Array()).events),
    [],
  );
  assert.deepEqual([enricher.stats().events, enricher.stats().duplicates], [events, 3]);
});

test('an agent that signs for another host with its own key is refused', () => {
  const [mallory, victim] = [createSyntheticHost({ hostId: 'mallory' }), createSyntheticHost({ hostId: 'victim' })];
  const keys = new Map([mallory, victim].map((host) => [host.hostId, host.key.publicKey]));
  const enricher = createEnricherPipeline({ enrolment: { keyFor: (hostId) => keys.get(hostId) } });
  victim.tick();
  const batch = victim.batch();
  signBytes(mallory.key, batch.subarray(0, -64)).copy(batch, batch.length - 64);
  const [record] = records(victim, [batch]);
  assert.ok(record !== undefined);
  assert.throws(() => enricher.handle([record]), { code: 'ERR_ENRICHER_SIGNATURE', fate: 'poison' });
  assert.throws(() => enricher.handle([{ ...record, key: 'mallory' }]), { code: 'ERR_ENRICHER_KEY', fate: 'poison' });
});

test('a revoked key is refused at once, except for earlier batches, and the next key of the host is accepted', () => {
  const old = createSyntheticHost();
  const next = createSyntheticHost({ run: 5n });
  const revokedAt = 1000;
  const enrolment: Enrolment = {
    keyFor(_, keyId, at) {
      if (keyId === next.key.keyId) return next.key.publicKey;
      return keyId === old.key.keyId && at < revokedAt ? old.key.publicKey : undefined;
    },
    isRevoked: (keyId) => keyId === old.key.keyId,
  };
  const enricher = createEnricherPipeline({ enrolment, options: { enrolmentGraceMs: 60_000 } });
  const send = (host: typeof old, timestamp: number): void => {
    host.tick();
    const [record] = records(host, [host.batch()]);
    assert.ok(record !== undefined);
    enricher.handle([{ ...record, timestamp }]);
  };
  send(old, revokedAt - 1);
  assert.throws(() => send(old, revokedAt), { code: 'ERR_ENRICHER_REVOKED', fate: 'poison' });
  send(next, revokedAt);
  assert.equal(enricher.stats().events, 2);
});

test('a host whose enrolment is late has a grace period; beyond a few, unknown hosts have none', async () => {
  const [host, stranger] = [createSyntheticHost({ hostId: 'new' }), createSyntheticHost({ hostId: 'stranger' })];
  const enrolled = new Map<string, KeyObject>();
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  const retried = Promise.withResolvers<void>();
  const enricher = await startEnricher({
    bus,
    enrolment: { keyFor: (hostId) => enrolled.get(hostId) },
    options: { enrolmentGraceMs: 500 },
    metrics: { retried: () => retried.resolve() },
  });
  for (const sender of [stranger, host]) {
    sender.spawn(sender.init, '/bin/sh');
    await bus.produce([{ topic: TOPIC.raw, key: sender.hostId, value: sender.batch() }]);
  }
  await retried.promise;
  enrolled.set(host.hostId, host.key.publicKey);
  for await (const { key } of bus.read({ topic: TOPIC.events, follow: true })) {
    assert.equal(key, 'new');
    break;
  }
  const flood = Array.from({ length: 200 }, (_, i) => `unknown-${i}`);
  await bus.produce(flood.map((key) => ({ topic: TOPIC.raw, key, value: stranger.batch() })));
  let letters = 0;
  for await (const { value } of bus.read({ topic: TOPIC.dlq, follow: true })) {
    assert.equal(decode('DeadLetter', value ?? new Uint8Array()).code, 'ERR_ENRICHER_UNKNOWN_HOST');
    if (++letters === 201) break;
  }
  await enricher.close();
});
