import assert from 'node:assert/strict';
import test from 'node:test';
import type { InRecord } from '@ringfence/bus';
import { createEnricherPipeline } from '@ringfence/enricher';
import { consumerRecords, createSyntheticHost, logBatch } from '@ringfence/synthetic';
import { TOPIC } from '@ringfence/wire';
import fc from 'fast-check';
import { createFeed, createTestDetector } from './support.ts';

/** Returns a batch of events with many kinds of values. */
function batchRecord(): { readonly record: InRecord; readonly good: Buffer } {
  const host = createSyntheticHost();
  const sh = host.spawn(host.init, '/tmp/sh');
  host.open(sh, '/etc/shadow');
  host.credentials(sh, 0);
  host.connect(sh, '10.0.0.1', 80);
  host.tick();
  const [record] = createFeed(host).next();
  assert.ok(record !== undefined);
  return { record, good: Buffer.from(record.value ?? []) };
}

/** A refused record must have changed nothing: the host would keep half of its events. */
function assertHandledOrRefused(record: InRecord, value: Buffer): void {
  const detector = createTestDetector();
  try {
    detector.handle([{ ...record, value }]);
  } catch (error) {
    assert.equal((error as { fate?: string }).fate, 'poison', String((error as Error).stack));
    assert.equal(detector.stats().events, 0, String((error as Error).stack));
  }
}

test('arbitrary bytes are handled or refused as poison, and a refused record changes nothing', () => {
  const { record, good } = batchRecord();
  const change = fc.record({
    at: fc.nat({ max: good.length - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const value = Buffer.from(good);
      for (const { at, bytes } of changes) value.set(bytes.subarray(0, value.length - at), at);
      assertHandledOrRefused(record, value);
    }),
    { numRuns: 1000 },
  );
});

test('long varints at any place, as of impossible times, are handled or refused before anything is applied', () => {
  const { record, good } = batchRecord();
  for (const bytes of [[0x80, 0x80, 0x80], Array.from({ length: 9 }, () => 0xff)])
    for (let at = 0; at < good.length; at++) {
      const value = Buffer.from(good);
      value.set(bytes.slice(0, value.length - at), at);
      assertHandledOrRefused(record, value);
    }
});

test('a line of a log that is older than the boot is handled', () => {
  const host = createSyntheticHost();
  host.ktime = -5 * 86_400 * 1_000_000;
  const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
  const lines = consumerRecords(host.hostId, [logBatch(host, ['crontab[812]: (root) REPLACE (root)'])], TOPIC.logsRaw);
  const batches = enricher.handle(lines).outputs.flatMap(({ value }) => value ?? []);
  const detector = createTestDetector();
  detector.handle(consumerRecords(host.hostId, batches, TOPIC.events));
  assert.equal(detector.stats().events, 1);
});

test('a batch under the key of another host is refused', () => {
  const host = createSyntheticHost();
  host.tick();
  const [record] = createFeed(host).next();
  assert.ok(record !== undefined);
  assert.throws(() => createTestDetector().handle([{ ...record, key: 'other' }]), {
    code: 'ERR_DETECTOR_KEY',
    fate: 'poison',
  });
  assert.throws(() => createTestDetector().handle([{ ...record, value: null }]), { code: 'ERR_DETECTOR_BOUNDS' });
});
