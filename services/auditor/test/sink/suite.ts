import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { InRecord, OutRecord } from '@ringfence/bus';
import { createTestAlert, EVIDENCE_HOST } from '@ringfence/synthetic';
import { createSigningKey, encode, encodeSigned, TOPIC } from '@ringfence/wire';
import { type AuditSink, createAuditPipeline } from '../../src/index.ts';
import { inRecord } from '../support.ts';
import { EVENTS_PER_BATCH, testTrail } from '../trail.ts';
import type { TestStore } from './store.ts';

const BATCHES = 8;
const ALERTS = 6;

/** Converts records to consumed ones; the offsets of each topic start at `from`. */
export function toInRecords(out: readonly OutRecord[], from = 0): InRecord[] {
  const offsets = new Map<string, number>();
  return out.map(({ topic, value }) => {
    const offset = offsets.get(topic) ?? from;
    offsets.set(topic, offset + 1);
    return inRecord(topic, offset, value);
  });
}

export async function storeRecords(sink: AuditSink, records: readonly InRecord[]): Promise<void> {
  const { outputs } = await createAuditPipeline(sink)(records);
  assert.equal(outputs.length, 0, 'no document is rejected');
}

/** Stores records with a new sink, like a restarted process. */
export async function storeWithNewSink(
  store: TestStore,
  records: readonly InRecord[],
): Promise<ReturnType<AuditSink['stats']>> {
  const sink = store.open();
  await storeRecords(sink, records);
  const stats = sink.stats();
  await sink.close();
  return stats;
}

const problemsOf = async (store: TestStore, published: Parameters<TestStore['verify']>[0] = []) =>
  (await store.verify(published)).problems.map(({ type, kind, seq, count }) => ({ type, kind, seq, count }));

/** The tests that every store of the trail must pass. */
export function sinkSuite(name: string, openStore: () => Promise<TestStore>): void {
  suite(`${name}: the sink`, () => {
    test('stores everything once, and counts it', async () => {
      await using store = await openStore();
      const stats = await storeWithNewSink(store, toInRecords(testTrail(BATCHES, ALERTS)));
      const counts = await store.counts();
      assert.deepEqual(
        { ...counts, execution: undefined },
        {
          alert: ALERTS,
          incident: ALERTS,
          command: ALERTS,
          result: ALERTS,
          gap: BATCHES,
          events: BATCHES,
          execution: undefined,
        },
      );
      assert.equal(await store.executions(), BATCHES);
      assert.deepEqual([stats.stored.alert, stats.stored.events, stats.duplicates], [ALERTS, BATCHES, 0]);
      assert.equal(stats.events, BATCHES * EVENTS_PER_BATCH);
      const verified = await store.verify();
      assert.deepEqual(verified.problems, []);
      assert.equal(verified.unfinished, 0);
    });

    test('a redelivery changes nothing: to the same sink, a new sink, at other offsets, one by one', async () => {
      await using store = await openStore();
      const records = toInRecords(testTrail(BATCHES, ALERTS));
      const sink = store.open();
      await storeRecords(sink, records);
      const before = await store.verify();
      await storeRecords(sink, records);
      await sink.close();
      const repeated = await storeWithNewSink(store, records);
      assert.equal(repeated.stored.alert + repeated.stored.events, 0);
      await storeWithNewSink(store, toInRecords(testTrail(BATCHES, ALERTS), 1000));
      const single = store.open();
      for (const record of records) await storeRecords(single, [record]);
      await single.close();
      assert.deepEqual(await store.verify(), before);
      assert.equal(await store.executions(), BATCHES);
    });

    test('the chains do not depend on how the records are batched', async () => {
      await using inOneBatch = await openStore();
      await using oneByOne = await openStore();
      const records = toInRecords(testTrail(BATCHES, ALERTS));
      await storeWithNewSink(inOneBatch, records);
      for (const record of records) await storeWithNewSink(oneByOne, [record]);
      assert.deepEqual((await oneByOne.verify()).chains, (await inOneBatch.verify()).chains);
    });

    test('a record twice in one batch is stored once', async () => {
      await using store = await openStore();
      const value = encode('Alert', createTestAlert(1));
      const stats = await storeWithNewSink(store, [inRecord(TOPIC.alerts, 0, value), inRecord(TOPIC.alerts, 1, value)]);
      assert.deepEqual([stats.stored.alert, stats.duplicates], [1, 1]);
      assert.deepEqual(await problemsOf(store), []);
    });

    test('of two records with one id the first is kept', async () => {
      await using store = await openStore();
      const alert = createTestAlert(1);
      await storeWithNewSink(store, [inRecord(TOPIC.alerts, 0, encode('Alert', alert))]);
      const stats = await storeWithNewSink(store, [
        inRecord(TOPIC.alerts, 1, encode('Alert', { ...alert, output: 'another' })),
      ]);
      assert.deepEqual([stats.stored.alert, stats.conflicts], [0, 1]);
      assert.deepEqual(await problemsOf(store), []);
    });

    test('continues on a log recreated at offset 0, and counts missed records', async () => {
      await using store = await openStore();
      const alert = (n: number) => encode('Alert', createTestAlert(n));
      await storeWithNewSink(store, [inRecord(TOPIC.alerts, 0, alert(0)), inRecord(TOPIC.alerts, 1, alert(1))]);
      const afterReset = await storeWithNewSink(store, [inRecord(TOPIC.alerts, 0, alert(2))]);
      const skipped = await storeWithNewSink(store, [inRecord(TOPIC.alerts, 5, alert(3))]);
      assert.deepEqual([afterReset.stored.alert, afterReset.missed, skipped.missed], [1, 0, 4]);
      assert.equal((await store.counts()).alert, 4);
      assert.deepEqual(await problemsOf(store), []);
    });

    test('keeps a separate chain for each partition of a topic', async () => {
      await using store = await openStore();
      const alert = (n: number) => encode('Alert', createTestAlert(n));
      const at = (partition: number, offset: number, n: number) => ({
        ...inRecord(TOPIC.alerts, offset, alert(n)),
        partition,
      });
      await storeWithNewSink(store, [at(0, 0, 0), at(1, 0, 1), at(0, 1, 2), at(2, 0, 3)]);
      const { chains, problems } = await store.verify();
      assert.deepEqual(problems, []);
      assert.deepEqual(
        chains.map(({ partition, seq }) => [partition, seq]),
        [
          [0, 2],
          [1, 1],
          [2, 1],
        ],
      );
    });

    test('stores enrolments', async () => {
      await using store = await openStore();
      const enrolment = {
        subject: EVIDENCE_HOST,
        role: 'agent',
        publicKey: Buffer.from('key'),
        signingKeyId: 'k1',
        certificateSerials: ['01'],
        issuedAt: 1_790_000_000_000_000,
        revokedAt: 0,
        version: 1,
      };
      const value = encodeSigned('Enrolment', enrolment, createSigningKey());
      const stats = await storeWithNewSink(store, [
        inRecord(TOPIC.enrolments, 0, value),
        inRecord(TOPIC.enrolments, 1, value),
      ]);
      assert.deepEqual([stats.stored.enrolment, stats.duplicates], [1, 1]);
    });

    test('stores 10,000 records', async () => {
      await using store = await openStore();
      const sink = store.open();
      const alerts = Array.from({ length: 10_000 }, (_, i) =>
        inRecord(TOPIC.alerts, i, encode('Alert', createTestAlert(i))),
      );
      for (let start = 0; start < alerts.length; start += 500) {
        await storeRecords(sink, alerts.slice(start, start + 500));
      }
      await sink.close();
      assert.equal((await store.counts()).alert, 10_000);
      const { records, problems } = await store.verify();
      assert.deepEqual([records, problems], [10_000, []]);
    });
  });

  suite(`${name}: verify`, () => {
    const filled = async (): Promise<TestStore> => {
      const store = await openStore();
      await storeWithNewSink(store, toInRecords(testTrail(5, 4)));
      return store;
    };

    test('finds a changed record', async () => {
      await using store = await filled();
      await store.tamper.changePayload(2);
      assert.deepEqual(await problemsOf(store), [{ type: 'changed', kind: 'alert', seq: 2, count: 1 }]);
    });

    test('finds a record changed with its hash, by the link of the next record', async () => {
      await using store = await filled();
      await store.tamper.rewrite(2);
      assert.deepEqual(await problemsOf(store), [{ type: 'missing', kind: 'alert', seq: 3, count: 1 }]);
    });

    test('finds the newest record changed with its hash, by the head', async () => {
      await using store = await filled();
      await store.tamper.rewrite(4);
      const [problem] = await problemsOf(store);
      assert.equal(problem?.type, 'cut-off');
    });

    test('finds records removed from the middle and from the beginning', async () => {
      await using store = await filled();
      await store.tamper.remove([3]);
      assert.deepEqual(await problemsOf(store), [{ type: 'missing', kind: 'alert', seq: 3, count: 1 }]);
      await store.tamper.remove([1]);
      assert.deepEqual(await problemsOf(store), [
        { type: 'missing', kind: 'alert', seq: 1, count: 1 },
        { type: 'missing', kind: 'alert', seq: 3, count: 1 },
      ]);
    });

    test('finds exactly the record that was inserted', async () => {
      await using store = await filled();
      await store.tamper.insert(2, 3);
      const problems = await problemsOf(store);
      assert.deepEqual(problems, [{ type: 'added', kind: 'alert', seq: 3, count: 1 }]);
    });

    test('finds a record that was appended, and the auditor continues behind it', async () => {
      await using store = await filled();
      await store.tamper.insert(4, 5);
      const inserted = [{ type: 'added', kind: 'alert', seq: 5, count: 1 }];
      assert.deepEqual(await problemsOf(store), inserted);
      await storeWithNewSink(store, [inRecord(TOPIC.alerts, 4, encode('Alert', createTestAlert(7)))]);
      assert.deepEqual(await problemsOf(store), inserted);
    });

    test('finds cut-off newest records with a published head', async () => {
      await using store = await filled();
      const { chains } = await store.verify();
      await store.tamper.cutOff(3);
      assert.deepEqual(await problemsOf(store), [], 'not detectable from the trail alone');
      assert.deepEqual(await problemsOf(store, chains), [{ type: 'cut-off', kind: 'alert', seq: 3, count: 2 }]);
    });

    test('finds a trail that was recreated in place of another', async () => {
      await using store = await filled();
      const heads = await publishedHeads(store);
      assert.deepEqual(await problemsOf(store, heads), []);
      await using recreated = await filled();
      const [problem] = await problemsOf(recreated, heads);
      assert.equal(problem?.type, 'replaced');
    });
  });
}

/** Returns the heads of a sink as they are published on the bus. */
export async function publishedHeads(store: TestStore): Promise<NonNullable<Parameters<TestStore['verify']>[0]>> {
  const sink = store.open();
  await storeRecords(sink, [inRecord(TOPIC.alerts, 9, encode('Alert', createTestAlert(99)))]);
  const { trail, heads } = await sink.heads();
  await sink.close();
  return heads.map((head) => ({ ...head, trail, at: 0 }));
}
