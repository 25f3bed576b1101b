import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_RECORD_BYTES } from '@ringfence/bus';
import { createSyntheticHost, O, type SyntheticHost } from '@ringfence/synthetic';
import { createSigningKey, LANE, signBytes, TOPIC } from '@ringfence/wire';
import fc from 'fast-check';
import { createTestEnricher, records } from './support.ts';

/** Returns the batch with changed bytes and a new signature, as from a hostile agent. */
function resign(host: SyntheticHost, batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch);
  change(bytes);
  signBytes(host.key, bytes.subarray(0, -64)).copy(bytes, bytes.length - 64);
  return bytes;
}

const fails = (host: SyntheticHost, batch: Uint8Array, code: string, key = host.hostId): void => {
  const enricher = createTestEnricher(host);
  const [record] = records(host, [batch]);
  assert.ok(record !== undefined);
  assert.throws(() => enricher.handle([{ ...record, key }]), { code, fate: 'poison' });
};

function smallBatch(host: SyntheticHost): Buffer {
  host.spawn(host.init, '/bin/sh');
  host.container({ cgroup: 7n, labels: { a: 'b' } });
  host.tick();
  return host.batch();
}

test('a batch with the signature of another key, or with changed bytes, is refused', () => {
  const host = createSyntheticHost();
  const batch = smallBatch(host);
  const forged = Buffer.from(batch);
  signBytes(createSigningKey(), batch.subarray(0, -64)).copy(forged, batch.length - 64);
  fails(host, forged, 'ERR_ENRICHER_SIGNATURE');
  const changed = Buffer.from(batch);
  changed[batch.length >>> 1] = (changed[batch.length >>> 1] ?? 0) ^ 1;
  fails(host, changed, 'ERR_ENRICHER_SIGNATURE');
});

test('a host that is not enrolled is refused, and so is a batch under the key of another host', () => {
  const host = createSyntheticHost();
  fails(host, smallBatch(host), 'ERR_ENRICHER_UNKNOWN_HOST', 'stranger');
  const otherHost = createSyntheticHost({ hostId: 'other', key: host.key });
  fails(host, smallBatch(otherHost), 'ERR_ENRICHER_KEY');
});

test('an invalid batch leaves no trace: the batches around it give the same result as without it', () => {
  const host = createSyntheticHost();
  const good = [smallBatch(host), smallBatch(host)];
  const bad = resign(host, smallBatch(host), (bytes) => bytes.fill(0xff, bytes.length - 120, bytes.length - 90));
  const enricher = createTestEnricher(host);
  const mixed = records(host, [good[0] as Buffer, bad, good[1] as Buffer]);
  assert.throws(() => enricher.handle(mixed), { fate: 'poison' });
  assert.equal(enricher.stats().events, 0);
  for (const record of mixed) {
    if (record.value === bad) assert.throws(() => enricher.handle([record]), { fate: 'poison' });
    else enricher.handle([record]);
  }
  assert.deepEqual([enricher.stats().events, enricher.stats().duplicates], [8, 0]);
});

test('a signed batch with arbitrary bytes is processed or refused as poison', () => {
  const host = createSyntheticHost();
  const batch = smallBatch(host);
  const change = fc.record({
    at: fc.nat({ max: batch.length - 65 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const hostile = resign(host, batch, (bytes) => {
        for (const { at, bytes: changed } of changes) bytes.set(changed.subarray(0, bytes.length - 64 - at), at);
      });
      const enricher = createTestEnricher(host);
      try {
        enricher.handle(records(host, [hostile]));
      } catch (error) {
        assert.equal((error as { fate?: string }).fate, 'poison', String(error));
      }
    }),
    { numRuns: 1500 },
  );
});

test('times and numbers whose sums would not be exact are refused', () => {
  const far = 2 ** 53 - 2;
  for (const wallOffset of [far, -far]) {
    const host = createSyntheticHost({ wallOffset });
    fails(host, smallBatch(host), 'ERR_ENRICHER_BOUNDS');
  }
  const late = createSyntheticHost();
  late.ktime = 2 ** 52;
  fails(late, smallBatch(late), 'ERR_ENRICHER_BOUNDS');
  const numbered = createSyntheticHost();
  numbered.drop(LANE.bulk, far);
  fails(numbered, smallBatch(numbered), 'ERR_ENRICHER_BOUNDS');
});

test('a number that no Avro encoder writes is poison, before it reaches an output or the state', () => {
  const largest = Buffer.from('fcffffffffffff1f', 'hex');
  for (const step of [
    (host: SyntheticHost) => host.exec(host.fork(), '/x', { device: 2 ** 53 - 2 }),
    (host: SyntheticHost) => host.open(host.fork(), '/x', O.WRONLY, { device: 2 ** 53 - 2 }),
  ]) {
    const host = createSyntheticHost();
    step(host);
    const batch = host.batch();
    const at = batch.indexOf(largest);
    assert.ok(at > 0);
    createTestEnricher(host).handle(records(host, [batch]));
    const larger = resign(host, batch, (bytes) => bytes.fill(largest[0]! + 2, at, at + 1));
    fails(host, larger, 'ERR_SCHEMA_MALFORMED');
  }
});

test('events that are too large for a record with their context go to the dead letters as a whole batch', () => {
  const host = createSyntheticHost();
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${i}`, 'x'.repeat(512)]));
  host.container({ cgroup: 7n, labels });
  const process = host.spawn(host.init, '/bin/sh');
  process.cgroup = 7n;
  host.open(process, '/a');
  const before = host.batch();
  host.open(process, `/${'b'.repeat(700_000)}`);
  host.open(process, `/${'c'.repeat(340_000)}`);
  const enricher = createTestEnricher(host);
  const { outputs } = enricher.handle(records(host, [before, host.batch()]));
  assert.deepEqual(
    outputs.map(({ topic }) => topic),
    [TOPIC.events, TOPIC.dlq],
  );
  for (const { value } of outputs) assert.ok((value?.length ?? 0) < MAX_RECORD_BYTES);
});

test('a cycle of parents, a parent younger than its child and pid 0 are ignored', () => {
  const host = createSyntheticHost();
  const a = host.unseen(undefined, 50);
  const b = host.unseen(a, 51);
  host.fork(b, { pid: 50 });
  host.exec(host.unseen(b, 50), '/bin/a');
  host.open(a, '/x');
  host.open(b, '/y');
  const { outputs } = createTestEnricher(host).handle(records(host, [host.batch()]));
  assert.equal(outputs.length, 1);
});
