import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { EVIDENCE_HOST } from '@ringfence/synthetic';
import { type AuditRecord, decode, TOPIC, typeOf } from '@ringfence/wire';
import Database from 'better-sqlite3';
import { GENESIS, kindNumber, recordHash } from '../src/chain.ts';
import { AuditReader, createAuditPipeline, SqliteSink } from '../src/index.ts';
import { inRecord, tempDir } from './support.ts';
import { testTrail } from './trail.ts';

/** Creates a trail of 5 batches and 4 alerts with their incident versions, commands and results. */
async function createTestTrail(dir: string): Promise<string> {
  const path = join(dir, 'audit.db');
  const sink = new SqliteSink({ path, maxBytes: 2 ** 30, eventRetentionMs: 1e12, synchronous: 'normal' });
  const offsets = new Map<string, number>();
  const records = testTrail(5, 4).map(({ topic, value }) => {
    const offset = offsets.get(topic) ?? 0;
    offsets.set(topic, offset + 1);
    return inRecord(topic, offset, value);
  });
  await createAuditPipeline(sink)(records);
  await sink.close();
  return path;
}

function runSql(path: string, sql: string): void {
  const db = new Database(path);
  assert.ok(db.prepare(sql).run().changes > 0, 'the statement changed no row');
  db.close();
}

function problemsOf(path: string, published?: Parameters<AuditReader['verify']>[0]) {
  using reader = new AuditReader(path);
  return reader.verify(published).problems.map(({ type, kind, seq, count }) => ({ type, kind, seq, count }));
}

const ALERT = `kind = ${kindNumber.alert}`;
const alertSeq = (n: number): string => `${ALERT} AND seq = ${n}`;

suite('verify', () => {
  test('finds no problem in an intact trail, whose hashes match the schema', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    assert.deepEqual(problemsOf(path), []);
    const record: AuditRecord = {
      id: 'x',
      kind: 'alert',
      timestamp: 1_790_000_000_000_000,
      hostId: EVIDENCE_HOST,
      topic: TOPIC.alerts,
      partition: 0,
      offset: 7,
      payload: Buffer.from('payload'),
      prevHash: Buffer.alloc(32, 7),
    };
    const encoded = typeOf('AuditRecord').toBuffer(record);
    const { createHash } = await import('node:crypto');
    const hashed = encoded.subarray(0, encoded.length - 32);
    const expected = createHash('sha256').update(record.prevHash).update(hashed).digest();
    assert.deepEqual(recordHash(record.prevHash, record), expected);
    assert.equal(GENESIS.length, 32);
  });

  const columns: readonly { readonly description: string; readonly set: string }[] = [
    { description: 'payload', set: "payload = x'00', packed = 0" },
    { description: 'id', set: "id = 'another'" },
    { description: 'time', set: 'timestamp = timestamp + 1' },
    { description: 'host', set: "host = 'another'" },
    { description: 'source offset', set: 'source_offset = source_offset + 100' },
  ];
  for (const { description, set } of columns) {
    test(`finds a changed ${description}`, async () => {
      using dir = tempDir();
      const path = await createTestTrail(dir.path);
      runSql(path, `UPDATE records SET ${set} WHERE ${alertSeq(2)}`);
      assert.deepEqual(problemsOf(path), [{ type: 'changed', kind: 'alert', seq: 2, count: 1 }]);
    });
  }

  test('finds a record changed with its hash', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    const db = new Database(path);
    const row = db.prepare(`SELECT record, prev_hash, id, timestamp FROM records WHERE ${alertSeq(2)}`).get() as {
      record: number;
      prev_hash: Buffer;
      id: string;
      timestamp: number;
    };
    const payload = Buffer.from('something else');
    const hash = recordHash(row.prev_hash, {
      id: row.id,
      kind: 'alert',
      timestamp: row.timestamp,
      hostId: EVIDENCE_HOST,
      topic: TOPIC.alerts,
      partition: 0,
      offset: 1,
      payload,
    });
    db.prepare('UPDATE records SET payload = ?, packed = 0, size = ?, hash = ? WHERE record = ?').run(
      payload,
      payload.length,
      hash,
      row.record,
    );
    db.close();
    // The next record was chained to the original hash.
    assert.deepEqual(problemsOf(path), [{ type: 'missing', kind: 'alert', seq: 3, count: 1 }]);
  });

  test('finds records deleted in the middle and at the beginning', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    runSql(path, `DELETE FROM records WHERE ${alertSeq(2)}`);
    assert.deepEqual(problemsOf(path), [{ type: 'missing', kind: 'alert', seq: 2, count: 1 }]);
    runSql(path, `DELETE FROM records WHERE ${alertSeq(1)}`);
    assert.deepEqual(problemsOf(path), [{ type: 'missing', kind: 'alert', seq: 1, count: 2 }]);
  });

  test('finds a deleted record although the rest was renumbered', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    runSql(path, `DELETE FROM records WHERE ${alertSeq(2)}`);
    runSql(path, `UPDATE records SET seq = 2 WHERE ${alertSeq(3)}`);
    runSql(path, `UPDATE records SET seq = 3 WHERE ${alertSeq(4)}`);
    const problems = problemsOf(path);
    assert.ok(
      problems.some(({ type, seq }) => type === 'missing' && seq === 2),
      JSON.stringify(problems),
    );
  });

  test('finds exactly the record that was inserted', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    for (const n of [4, 3]) runSql(path, `UPDATE records SET seq = ${n + 1} WHERE ${alertSeq(n)}`);
    runSql(path, `UPDATE chains SET head_seq = head_seq + 1 WHERE ${ALERT}`);
    runSql(
      path,
      `INSERT INTO records (chain, seq, kind, id, timestamp, until, host, source_offset, event_kinds, events, prev_hash, hash, size, packed, entities, payload)
       SELECT chain, 3, kind, 'planted', timestamp, until, host, source_offset, event_kinds, events, hash, zeroblob(32), size, packed, entities, payload
       FROM records WHERE ${alertSeq(2)}`,
    );
    assert.deepEqual(problemsOf(path), [{ type: 'added', kind: 'alert', seq: 3, count: 1 }]);
  });

  test('finds a record that was appended, and the auditor continues behind it', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    runSql(
      path,
      `INSERT INTO records (chain, seq, kind, id, timestamp, until, host, source_offset, event_kinds, events, prev_hash, hash, size, packed, entities, payload)
       SELECT chain, 5, kind, 'planted', timestamp, until, host, source_offset, event_kinds, events, hash, zeroblob(32), size, packed, entities, payload
       FROM records WHERE ${alertSeq(4)}`,
    );
    const inserted = [{ type: 'added', kind: 'alert', seq: 5, count: 1 }];
    assert.deepEqual(problemsOf(path), inserted);
    const sink = new SqliteSink({ path, maxBytes: 2 ** 30, eventRetentionMs: 1e12, synchronous: 'normal' });
    const fresh = testTrail(0, 5).filter(({ topic }) => topic === TOPIC.alerts)[4];
    await createAuditPipeline(sink)([inRecord(TOPIC.alerts, 4, fresh?.value ?? null)]);
    assert.equal(sink.stats().stored.alert, 1);
    await sink.close();
    assert.deepEqual(problemsOf(path), inserted);
  });

  test('finds cut-off records, and with a published head also when the chain head was set back', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    using reader = new AuditReader(path);
    const { chains } = reader.verify();
    reader.close();
    runSql(path, `DELETE FROM records WHERE ${ALERT} AND seq > 2`);
    assert.deepEqual(problemsOf(path), [{ type: 'cut-off', kind: 'alert', seq: 3, count: 2 }]);
    runSql(
      path,
      `UPDATE chains SET head_seq = 2, head_hash = (SELECT hash FROM records WHERE ${alertSeq(2)}) WHERE ${ALERT}`,
    );
    assert.deepEqual(problemsOf(path), [], 'not detectable from the trail alone');
    assert.deepEqual(problemsOf(path, chains), [{ type: 'cut-off', kind: 'alert', seq: 3, count: 2 }]);
  });

  test('finds the records of a deleted chain', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    runSql(path, `DELETE FROM chains WHERE ${ALERT}`);
    assert.deepEqual(new Set(problemsOf(path).map(({ type }) => type)), new Set(['added']));
  });

  test('finds a payload larger than its claimed size without reading beyond it', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    runSql(path, `UPDATE records SET size = 10 WHERE kind = ${kindNumber.events} AND seq = 1`);
    assert.deepEqual(problemsOf(path), [{ type: 'changed', kind: 'events', seq: 1, count: 1 }]);
  });

  test('stores the records as they were published on the bus', async () => {
    using dir = tempDir();
    const path = await createTestTrail(dir.path);
    using reader = new AuditReader(path);
    const hit = reader.search('T1059.004', 20).find(({ kind }) => kind === 'alert');
    assert.ok(hit);
    assert.equal(decode('Alert', hit.payload).id, hit.id);
  });
});
