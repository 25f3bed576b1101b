import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { InRecord, OutRecord } from '@ringfence/bus';
import { createTestAlert, EVIDENCE_HOST } from '@ringfence/testkit';
import { createSigningKey, encode, encodeSigned, TOPIC } from '@ringfence/wire';
import { type AuditSink, createAuditPipeline } from '../../src/index.ts';
import { inRecord } from '../support.ts';
import { EVENTS_PER_BATCH, testTrail } from '../trail.ts';
import type { TestStore } from './store.ts';

const BATCHES = 8;
const ALERTS = 6;

/** Records as a consumer gets them, each topic's from `from` on. */
export function delivered(out: readonly OutRecord[], from = 0): InRecord[] {
  const offsets = new Map<string, number>();
  return out.map(({ topic, value }) => {
    const offset = offsets.get(topic) ?? from;
    offsets.set(topic, offset + 1);
    return inRecord(topic, offset, value);
  });
}

export async function store(sink: AuditSink, records: readonly InRecord[]): Promise<void> {
  const { outputs } = await createAuditPipeline(sink)(records);
  assert.equal(outputs.length, 0, 'nothing is refused');
}

/** Done by a process that starts, stores and stops. */
export async function storeAnew(of: TestStore, records: readonly InRecord[]): Promise<ReturnType<AuditSink['stats']>> {
  const sink = of.open();
  await store(sink, records);
  const stats = sink.stats();
  await sink.close();
  return stats;
}

const problemsOf = async (of: TestStore, noted: Parameters<TestStore['verify']>[0] = []) =>
  (await of.verify(noted)).problems.map(({ what, kind, seq, count }) => ({ what, kind, seq, count }));

/** What every store of the trail must do. */
export function sinkSuite(name: string, openStore: () => Promise<TestStore>): void {
  suite(`${name}: the sink`, () => {
    test('stores everything once, and says what it stored', async () => {
      await using of = await openStore();
      const stats = await storeAnew(of, delivered(testTrail(BATCHES, ALERTS)));
      const counts = await of.counts();
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
      assert.equal(await of.executions(), BATCHES);
      assert.deepEqual([stats.stored.alert, stats.stored.events, stats.duplicates], [ALERTS, BATCHES, 0]);
      assert.equal(stats.events, BATCHES * EVENTS_PER_BATCH);
      const verified = await of.verify();
      assert.deepEqual(verified.problems, []);
      assert.equal(verified.unfinished, 0);
    });

    test('a redelivery changes nothing: of the same sink, of a new one, at other offsets, one by one', async () => {
      await using of = await openStore();
      const records = delivered(testTrail(BATCHES, ALERTS));
      const sink = of.open();
      await store(sink, records);
      const before = await of.verify();
      await store(sink, records);
      await sink.close();
      const again = await storeAnew(of, records);
      assert.equal(again.stored.alert + again.stored.events, 0);
      await storeAnew(of, delivered(testTrail(BATCHES, ALERTS), 1000));
      const single = of.open();
      for (const record of records) await store(single, [record]);
      await single.close();
      assert.deepEqual(await of.verify(), before);
      assert.equal(await of.executions(), BATCHES);
    });

    test('the chains are the same however the records are cut into batches', async () => {
      await using whole = await openStore();
      await using apart = await openStore();
      const records = delivered(testTrail(BATCHES, ALERTS));
      await storeAnew(whole, records);
      for (const record of records) await storeAnew(apart, [record]);
      assert.deepEqual((await apart.verify()).chains, (await whole.verify()).chains);
    });

    test('a record twice in one batch is stored once', async () => {
      await using of = await openStore();
      const value = encode('Alert', createTestAlert(1));
      const stats = await storeAnew(of, [inRecord(TOPIC.alerts, 0, value), inRecord(TOPIC.alerts, 1, value)]);
      assert.deepEqual([stats.stored.alert, stats.duplicates], [1, 1]);
      assert.deepEqual(await problemsOf(of), []);
    });

    test('of two records of one id the first stands', async () => {
      await using of = await openStore();
      const alert = createTestAlert(1);
      await storeAnew(of, [inRecord(TOPIC.alerts, 0, encode('Alert', alert))]);
      const stats = await storeAnew(of, [inRecord(TOPIC.alerts, 1, encode('Alert', { ...alert, output: 'another' }))]);
      assert.deepEqual([stats.stored.alert, stats.conflicts], [0, 1]);
      assert.deepEqual(await problemsOf(of), []);
    });

    test('goes on when a log was lost and begins anew at offset 0, and counts what it never saw', async () => {
      await using of = await openStore();
      const alert = (n: number) => encode('Alert', createTestAlert(n));
      await storeAnew(of, [inRecord(TOPIC.alerts, 0, alert(0)), inRecord(TOPIC.alerts, 1, alert(1))]);
      const anew = await storeAnew(of, [inRecord(TOPIC.alerts, 0, alert(2))]);
      const skipped = await storeAnew(of, [inRecord(TOPIC.alerts, 5, alert(3))]);
      assert.deepEqual([anew.stored.alert, anew.missed, skipped.missed], [1, 0, 4]);
      assert.equal((await of.counts()).alert, 4);
      assert.deepEqual(await problemsOf(of), []);
    });

    test('keeps the partitions of a topic apart', async () => {
      await using of = await openStore();
      const alert = (n: number) => encode('Alert', createTestAlert(n));
      const at = (partition: number, offset: number, n: number) => ({
        ...inRecord(TOPIC.alerts, offset, alert(n)),
        partition,
      });
      await storeAnew(of, [at(0, 0, 0), at(1, 0, 1), at(0, 1, 2), at(2, 0, 3)]);
      const { chains, problems } = await of.verify();
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

    test('keeps enrolments', async () => {
      await using of = await openStore();
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
      const stats = await storeAnew(of, [inRecord(TOPIC.enrolments, 0, value), inRecord(TOPIC.enrolments, 1, value)]);
      assert.deepEqual([stats.stored.enrolment, stats.duplicates], [1, 1]);
    });

    test('10,000 records in, 10,000 out', async () => {
      await using of = await openStore();
      const sink = of.open();
      const alerts = Array.from({ length: 10_000 }, (_, i) =>
        inRecord(TOPIC.alerts, i, encode('Alert', createTestAlert(i))),
      );
      for (let at = 0; at < alerts.length; at += 500) await store(sink, alerts.slice(at, at + 500));
      await sink.close();
      assert.equal((await of.counts()).alert, 10_000);
      const { records, problems } = await of.verify();
      assert.deepEqual([records, problems], [10_000, []]);
    });
  });

  suite(`${name}: what verify finds`, () => {
    const filled = async (): Promise<TestStore> => {
      const of = await openStore();
      await storeAnew(of, delivered(testTrail(5, 4)));
      return of;
    };

    test('a changed record', async () => {
      await using of = await filled();
      await of.tamper.changePayload(2);
      assert.deepEqual(await problemsOf(of), [{ what: 'changed', kind: 'alert', seq: 2, count: 1 }]);
    });

    test('a record changed with its hash: the next one was chained to what stood there', async () => {
      await using of = await filled();
      await of.tamper.rewrite(2);
      assert.deepEqual(await problemsOf(of), [{ what: 'missing', kind: 'alert', seq: 3, count: 1 }]);
    });

    test('the newest record changed with its hash: the head says otherwise', async () => {
      await using of = await filled();
      await of.tamper.rewrite(4);
      const [problem] = await problemsOf(of);
      assert.equal(problem?.what, 'cut-off');
    });

    test('records taken out of the middle and of the beginning', async () => {
      await using of = await filled();
      await of.tamper.remove([3]);
      assert.deepEqual(await problemsOf(of), [{ what: 'missing', kind: 'alert', seq: 3, count: 1 }]);
      await of.tamper.remove([1]);
      assert.deepEqual(await problemsOf(of), [
        { what: 'missing', kind: 'alert', seq: 1, count: 1 },
        { what: 'missing', kind: 'alert', seq: 3, count: 1 },
      ]);
    });

    test('a record put in between, and names that one', async () => {
      await using of = await filled();
      await of.tamper.plant(2, 3);
      const problems = await problemsOf(of);
      assert.deepEqual(problems, [{ what: 'added', kind: 'alert', seq: 3, count: 1 }]);
    });

    test('a record put at the end, and the auditor goes on behind it', async () => {
      await using of = await filled();
      await of.tamper.plant(4, 5);
      const planted = [{ what: 'added', kind: 'alert', seq: 5, count: 1 }];
      assert.deepEqual(await problemsOf(of), planted);
      await storeAnew(of, [inRecord(TOPIC.alerts, 4, encode('Alert', createTestAlert(7)))]);
      assert.deepEqual(await problemsOf(of), planted);
    });

    test('the newest records cut off, when a head was noted elsewhere', async () => {
      await using of = await filled();
      const { chains } = await of.verify();
      await of.tamper.cutOff(3);
      assert.deepEqual(await problemsOf(of), [], 'the trail alone can not know');
      assert.deepEqual(await problemsOf(of, chains), [{ what: 'cut-off', kind: 'alert', seq: 3, count: 2 }]);
    });

    test('a trail begun anew in place of another', async () => {
      await using of = await filled();
      const heads = await headsOf(of);
      assert.deepEqual(await problemsOf(of, heads), []);
      await using other = await filled();
      const [problem] = await problemsOf(other, heads);
      assert.equal(problem?.what, 'replaced');
    });
  });
}

/** What a sink tells of its heads, as it is noted on the bus. */
async function headsOf(of: TestStore): Promise<NonNullable<Parameters<TestStore['verify']>[0]>> {
  const sink = of.open();
  await store(sink, [inRecord(TOPIC.alerts, 9, encode('Alert', createTestAlert(99)))]);
  const { trail, heads } = await sink.heads();
  await sink.close();
  return heads.map((head) => ({ ...head, trail, at: 0 }));
}
