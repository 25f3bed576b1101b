import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createTestAlert, EVIDENCE_WALL_OFFSET } from '@ringfence/synthetic';
import { encode, KIND, TOPIC } from '@ringfence/wire';
import { MIN_BYTES } from '../src/config.ts';
import { AuditReader, compileAuditorOptions, createAuditPipeline, SqliteSink } from '../src/index.ts';
import { kindBit } from '../src/kind-bits.ts';
import { createTestBatch, createTestProcess, execBody, inRecord, openBody, tempDir } from './support.ts';

/** Creates an incompressible batch of about `bytes` bytes. */
function createNoiseBatch(n: number, bytes: number, withExecution = false): Buffer {
  const process = createTestProcess(100);
  const body = openBody(randomBytes(bytes / 2).toString('hex'));
  const opened = { process: 0, sequence: n * 10, ktime: n * 1_000_000, body };
  const executed = { ...opened, sequence: n * 10 + 1, body: execBody('/bin/id', ['id']) };
  return createTestBatch([process], withExecution ? [opened, executed] : [opened]);
}

function openSink(path: string, overrides: { readonly eventRetentionMs?: number; readonly now?: () => number } = {}) {
  return new SqliteSink({ path, maxBytes: MIN_BYTES, eventRetentionMs: 1e12, synchronous: 'normal', ...overrides });
}

suite('the size limit', () => {
  test('drops and counts the oldest events, keeps the rest, and leaves the chain intact', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const sink = openSink(path);
    const pipeline = createAuditPipeline(sink);
    const batches = 120;
    for (let n = 0; n < batches; n++) {
      await pipeline([
        inRecord(TOPIC.events, n, createNoiseBatch(n, 200_000, true)),
        inRecord(TOPIC.alerts, n, encode('Alert', createTestAlert(n))),
      ]);
      assert.ok(sink.stats().usedBytes <= MIN_BYTES);
    }
    const [drop, ...furtherDrops] = sink.stats().dropped;
    assert.deepEqual(furtherDrops, []);
    assert.equal(drop?.kind, 'events');
    assert.equal(drop.cause, 'disk-bound');
    await sink.close();
    const bytes = readdirSync(dir.path).reduce((sum, name) => sum + statSync(join(dir.path, name)).size, 0);
    assert.ok(bytes <= MIN_BYTES, `${bytes} bytes on disk`);

    using reader = new AuditReader(path);
    const { counts, events } = reader.stats();
    assert.equal(drop.events, drop.count * 2);
    assert.equal(events, counts.events * 2);
    assert.equal(counts.events + drop.count, batches, 'each batch is either stored or counted as dropped');
    assert.ok(counts.events > 10);
    assert.equal(counts.alert, batches);
    assert.equal(counts.execution, batches, 'executions outlive their batch');
    const verified = reader.verify();
    assert.equal(verified.problemCount, 0);
    assert.equal(verified.retired, drop.count);
    const opened = [...reader.events({ eventKinds: kindBit(KIND.Open) })].length;
    assert.equal(opened, counts.events, 'the newest events are stored');
  });

  test('rejects a batch without losing records when only undroppable records are left', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const sink = openSink(path);
    const pipeline = createAuditPipeline(sink);
    const heavy = (n: number) => {
      const description = randomBytes(400_000).toString('hex');
      return inRecord(TOPIC.alerts, n, encode('Alert', createTestAlert(n, { description })));
    };
    let stored = 0;
    await assert.rejects(
      async () => {
        for (; stored < 100; stored++) await pipeline([heavy(stored)]);
      },
      { code: 'ERR_AUDIT_FULL', fate: 'retriable' },
    );
    assert.equal(sink.stats().stored.alert, stored);
    await sink.close();
    using reader = new AuditReader(path);
    assert.equal(reader.stats().counts.alert, stored);
    assert.equal(reader.verify().problemCount, 0);
  });
});

suite('a full disk', () => {
  const skip = process.getuid?.() === 0 ? false : 'mounting a small tmpfs needs root';

  test('rejects a batch, and continues when there is space again', { skip }, async (t) => {
    using dir = tempDir();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dir.path]);
    if (mounted.status !== 0) return t.skip(`cannot mount a tmpfs: ${mounted.stderr}`);
    try {
      const ballast = join(dir.path, 'ballast');
      writeFileSync(ballast, Buffer.alloc(10 * 2 ** 20));
      const path = join(dir.path, 'audit.db');
      const sink = openSink(path);
      const pipeline = createAuditPipeline(sink);
      const records = Array.from({ length: 20 }, (_, n) => inRecord(TOPIC.events, n, createNoiseBatch(n, 200_000)));
      let stored = 0;
      const storeAll = async (): Promise<void> => {
        for (; stored < records.length; stored++) await pipeline(records.slice(stored, stored + 1));
      };
      await assert.rejects(storeAll, { code: 'ERR_AUDIT_FULL', fate: 'retriable' });
      rmSync(ballast);
      await storeAll();
      await sink.close();
      using reader = new AuditReader(path);
      assert.equal(reader.stats().counts.events, records.length);
      assert.equal(reader.verify().problemCount, 0);
    } finally {
      spawnSync('umount', ['--lazy', dir.path]);
    }
  });
});

suite('the retention of events', () => {
  test('uses the time of the events, but no later than the wall clock', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const now = () => EVIDENCE_WALL_OFFSET + 100 * 1_000_000;
    const sink = openSink(path, { eventRetentionMs: 20_000, now });
    const pipeline = createAuditPipeline(sink);
    for (let n = 0; n < 50; n++) await pipeline([inRecord(TOPIC.events, n, createNoiseBatch(n, 100))]);
    // The newest event is of second 49, so batches that ended before second 29 are dropped.
    assert.deepEqual(
      sink.stats().dropped.map(({ cause, count }) => ({ cause, count })),
      [{ cause: 'age', count: 29 }],
    );
    await pipeline([inRecord(TOPIC.events, 50, createNoiseBatch(50_000_000, 100))]);
    assert.equal(
      sink.stats().dropped[0]?.count,
      50,
      'with the wall clock at second 100, only batches before second 80 are dropped',
    );
    await sink.close();
  });
});

suite('events with a future timestamp', () => {
  test('expire with the events that followed them, and do not block others', async () => {
    using dir = tempDir();
    const now = () => EVIDENCE_WALL_OFFSET + 100 * 1_000_000;
    const sink = openSink(join(dir.path, 'audit.db'), { eventRetentionMs: 20_000, now });
    const pipeline = createAuditPipeline(sink);
    // Two partitions make two chains; the first one starts with two batches of the year 3000.
    const ahead = [createNoiseBatch(50_000_000, 100), createNoiseBatch(50_000_001, 100)];
    for (const [n, batch] of ahead.entries()) await pipeline([inRecord(TOPIC.events, n, batch)]);
    for (let n = 0; n < 50; n++)
      await pipeline([{ ...inRecord(TOPIC.events, n, createNoiseBatch(n, 100)), partition: 1 }]);
    const droppedCount = (): number | undefined => sink.stats().dropped[0]?.count;
    assert.equal(droppedCount(), 50, 'batches of the other chain before second 80');
    await pipeline([inRecord(TOPIC.events, 2, createNoiseBatch(90, 100))]);
    assert.equal(droppedCount(), 50, 'the batch that followed is recent');
    await sink.close();
    const reopened = openSink(join(dir.path, 'audit.db'), { eventRetentionMs: 20_000, now: () => now() + 15_000_000 });
    await createAuditPipeline(reopened)([inRecord(TOPIC.events, 3, createNoiseBatch(112, 100))]);
    assert.equal(reopened.stats().dropped[0]?.count, 53, 'they expire together with the batch that followed');
    await reopened.close();
  });
});

suite('a file that is not an audit trail', () => {
  test('is moved aside, and a new one is created', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    writeFileSync(path, 'this was a database once'.repeat(500));
    const sink = openSink(path);
    await createAuditPipeline(sink)([inRecord(TOPIC.alerts, 0, encode('Alert', createTestAlert(0)))]);
    await sink.close();
    assert.ok(sink.movedAside !== null && existsSync(sink.movedAside));
    assert.equal(statSync(path).mode & 0o777, 0o600, 'arguments contain secrets');
  });

  test('settings out of range are rejected', () => {
    assert.throws(() => compileAuditorOptions({ path: '' }), RangeError);
    assert.throws(() => compileAuditorOptions({ path: 'x', maxBytes: 1 }), /auditor\.maxBytes is 1/);
    assert.throws(() => compileAuditorOptions({ path: 'x', eventRetentionMs: 0 }), /eventRetentionMs/);
  });
});
