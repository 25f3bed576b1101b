import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_KEY_BYTES, MAX_RECORD_BYTES } from '@ringfence/bus';
import { createSyntheticHost, type SyntheticHost } from '@ringfence/synthetic';
import { decode, type Gap, LANE } from '@ringfence/wire';
import type { EnricherPipeline } from '../src/pipeline.ts';
import { createTestEnricher, enrichOne, records } from './support.ts';

function gapsIn(enricher: EnricherPipeline, host: SyntheticHost): Gap[] {
  const { outputs } = enricher.handle(records(host, [host.batch()]));
  return outputs
    .flatMap(({ value }) => decode('EventBatch', value ?? new Uint8Array()).events)
    .flatMap(({ event: { lane, body } }) =>
      lane === LANE.gap && 'ringfence.Gap' in body ? [{ ...body['ringfence.Gap'] }] : [],
    );
}

test('missing records become a gap event at the second next tick, with the cause from the counters', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const process = host.fork();
  host.drop(LANE.bulk, 3, 'ring_full');
  host.open(process, '/a');
  host.tick();
  assert.deepEqual(gapsIn(enricher, host), []);
  host.tick();
  assert.deepEqual(gapsIn(enricher, host), [{ ofLane: 1, ofCpu: 0, from: 1, to: 3, reason: 'ring_full', total: 3 }]);
  host.tick();
  assert.deepEqual(gapsIn(enricher, host), [], 'once');
  assert.deepEqual([enricher.stats().gaps, enricher.stats().missing], [1, 3]);
});

test('each of several losses is explained by its own part of the counters', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const process = host.fork();
  const gaps: Gap[] = [];
  for (const [count, cause] of [
    [3, 'ring_full'],
    [2, 'ring_full'],
    [4, 'scratch'],
    [1, ''],
    [0, ''],
    [0, ''],
  ] as const) {
    if (count > 0) host.drop(LANE.bulk, count, cause);
    host.open(process, '/a');
    host.tick();
    gaps.push(...gapsIn(enricher, host));
  }
  assert.deepEqual(
    gaps.map(({ from, to, reason }) => [to - from + 1, reason]),
    [
      [3, 'ring_full'],
      [2, 'ring_full, scratch'],
      [4, 'scratch'],
      [1, 'unknown'],
    ],
  );
});

test('a loss that no counter explains has an unknown cause', () => {
  const host = createSyntheticHost();
  const process = host.fork();
  host.drop(LANE.bulk, 1, '');
  host.open(process, '/a');
  host.tick();
  host.tick();
  assert.deepEqual(
    gapsIn(createTestEnricher(host), host).map(({ reason }) => reason),
    ['unknown'],
  );
});

test('lost records after the last event are found, because the counters contain their numbers', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  host.fork();
  host.drop(LANE.security, 2, 'scratch');
  const gaps: Gap[] = [];
  for (let i = 0; i < 7; i++) {
    host.tick();
    gaps.push(...gapsIn(enricher, host));
  }
  assert.deepEqual(gaps, [{ ofLane: 0, ofCpu: 0, from: 2, to: 3, reason: 'scratch', total: 2 }]);
});

test('swapped neighbours are not a gap, and a late record fills a reported one', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const process = host.fork();
  host.open(process, '/1');
  const first = host.batch();
  host.open(process, '/2');
  const second = host.batch();
  host.drop(LANE.bulk, 1);
  host.open(process, '/4');
  host.tick();
  host.tick();
  const third = host.batch();
  const gaps = [second, first, third].flatMap((value) => enricher.handle(records(host, [value])).outputs);
  assert.equal(gaps.length, 3);
  assert.deepEqual([enricher.stats().gaps, enricher.stats().duplicates], [1, 0]);
});

test('a batch that is sent again is dropped and counted', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const process = host.spawn(host.init, '/bin/sh');
  host.open(process, '/a');
  host.tick();
  const batch = host.batch();
  const once = enricher.handle(records(host, [batch]));
  const again = enricher.handle(records(host, [batch], 1));
  assert.equal(once.outputs.length, 1);
  const events = again.outputs.flatMap(({ value }) => decode('EventBatch', value ?? new Uint8Array()).events);
  assert.deepEqual(events, []);
  assert.equal(enricher.stats().duplicates, 4);
});

test('a new run has its own sequence numbers; a loss of the previous run is still reported', () => {
  const host = createSyntheticHost();
  const enricher = createTestEnricher(host);
  const process = host.fork();
  host.drop(LANE.bulk, 2, '');
  host.open(process, '/a');
  enrichOne(enricher, host);
  const next = createSyntheticHost({ key: host.key, run: 5n, ktime: host.ktime });
  next.open(process, '/b');
  next.tick();
  next.tick();
  assert.deepEqual(
    gapsIn(enricher, next).map(({ from, to, reason }) => [from, to, reason]),
    [[1, 2, 'unknown in run 1122334455667788']],
  );
  assert.equal(enricher.stats().duplicates, 0);
});

test('the state of lanes fits into a record of the changelog, however many numbers are missing', () => {
  const machine = createSyntheticHost();
  const process = machine.fork();
  // After weeks of events, at a load under which every second event is lost.
  for (machine.cpu = 0; machine.cpu < 128; machine.cpu++)
    for (let i = 0; i < 800; i++) {
      machine.drop(LANE.bulk, i === 0 ? 2 ** 40 : 1);
      machine.open(process, '/a');
    }
  const hostile = createSyntheticHost();
  const causes = ['ring_full', 'scratch', 'spool_full', 'malformed', 'log_rate'];
  for (let i = 0; i < 16_384; i++) for (const cause of causes) hostile.drop(i % 256, 2 ** 40, cause, i >>> 8);
  for (const host of [machine, hostile]) {
    const enricher = createTestEnricher(host);
    const { state } = enricher.handle(records(host, [host.batch()]));
    for (const { key, value } of state) assert.ok((value?.length ?? 0) < MAX_RECORD_BYTES - MAX_KEY_BYTES, key);
    assert.ok(state.some(({ key, value }) => key.endsWith('/s') && (value?.length ?? 0) > 100_000));
  }
});
