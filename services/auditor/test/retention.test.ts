import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { createTestAlert, EVIDENCE_WALL_OFFSET } from '@ringfence/testkit';
import { encode, KIND, TOPIC } from '@ringfence/wire';
import { MIN_BYTES } from '../src/config.ts';
import { AuditReader, compileAuditorOptions, createAuditPipeline, SqliteSink } from '../src/index.ts';
import { kindBit } from '../src/kind-bits.ts';
import { createTestBatch, createTestProcess, execBody, inRecord, openBody, tempDir } from './support.ts';

/** A batch of about `bytes` that nothing packs. */
function noise(n: number, bytes: number, withExecution = false): Buffer {
  const process = createTestProcess(100);
  const body = openBody(randomBytes(bytes / 2).toString('hex'));
  const opened = { process: 0, sequence: n * 10, ktime: n * 1_000_000, body };
  const executed = { ...opened, sequence: n * 10 + 1, body: execBody('/bin/id', ['id']) };
  return createTestBatch([process], withExecution ? [opened, executed] : [opened]);
}

function openSink(path: string, overrides: { readonly eventRetentionMs?: number; readonly now?: () => number } = {}) {
  return new SqliteSink({ path, maxBytes: MIN_BYTES, eventRetentionMs: 1e12, synchronous: 'normal', ...overrides });
}

suite('the disk bound', () => {
  test('lets the oldest events go, counts them, keeps all else, and the chain stays whole', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const sink = openSink(path);
    const pipeline = createAuditPipeline(sink);
    const batches = 120;
    for (let n = 0; n < batches; n++) {
      await pipeline([
        inRecord(TOPIC.events, n, noise(n, 200_000, true)),
        inRecord(TOPIC.alerts, n, encode('Alert', createTestAlert(n))),
      ]);
      assert.ok(sink.stats().usedBytes <= MIN_BYTES);
    }
    const [drop, ...others] = sink.stats().dropped;
    assert.deepEqual(others, []);
    assert.equal(drop?.kind, 'events');
    assert.equal(drop.cause, 'disk-bound');
    await sink.close();
    const bytes = readdirSync(dir.path).reduce((sum, name) => sum + statSync(join(dir.path, name)).size, 0);
    assert.ok(bytes <= MIN_BYTES, `${bytes} bytes on disk`);

    using reader = new AuditReader(path);
    const { counts, events } = reader.stats();
    assert.equal(drop.events, drop.count * 2);
    assert.equal(events, counts.events * 2);
    assert.equal(counts.events + drop.count, batches, 'stored = held + counted drops');
    assert.ok(counts.events > 10);
    assert.equal(counts.alert, batches);
    assert.equal(counts.execution, batches, 'executions outlive their batch');
    const verified = reader.verify();
    assert.equal(verified.problemCount, 0);
    assert.equal(verified.retired, drop.count);
    const opened = [...reader.events({ eventKinds: kindBit(KIND.Open) })].length;
    assert.equal(opened, counts.events, 'the newest events are there');
  });

  test('pushes back when what must stay fills it: nothing is written, nothing lost', async () => {
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
  const noRoot = process.getuid?.() === 0 ? false : 'mounting a small tmpfs needs root';

  test('pushes back, and the trail goes on where it stopped when there is room', { skip: noRoot }, async (t) => {
    using dir = tempDir();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dir.path]);
    if (mounted.status !== 0) return t.skip(`tmpfs can't be mounted: ${mounted.stderr}`);
    try {
      const ballast = join(dir.path, 'ballast');
      writeFileSync(ballast, Buffer.alloc(10 * 2 ** 20));
      const path = join(dir.path, 'audit.db');
      const sink = openSink(path);
      const pipeline = createAuditPipeline(sink);
      const records = Array.from({ length: 20 }, (_, n) => inRecord(TOPIC.events, n, noise(n, 200_000)));
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

suite('the age of events', () => {
  test('is measured in their own time, but not by a clock that runs ahead', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    const now = () => EVIDENCE_WALL_OFFSET + 100 * 1_000_000;
    const sink = openSink(path, { eventRetentionMs: 20_000, now });
    const pipeline = createAuditPipeline(sink);
    for (let n = 0; n < 50; n++) await pipeline([inRecord(TOPIC.events, n, noise(n, 100))]);
    // The newest is of second 49: what ended before second 29 has gone.
    assert.deepEqual(
      sink.stats().dropped.map(({ cause, count }) => ({ cause, count })),
      [{ cause: 'age', count: 29 }],
    );
    await pipeline([inRecord(TOPIC.events, 50, noise(50_000_000, 100))]);
    assert.equal(
      sink.stats().dropped[0]?.count,
      50,
      'a wall clock of second 100 lets go of all before second 80, no more',
    );
    await sink.close();
  });
});

suite('events of a clock that ran ahead', () => {
  test('go with those that came after them, and hold up nobody', async () => {
    using dir = tempDir();
    const now = () => EVIDENCE_WALL_OFFSET + 100 * 1_000_000;
    const sink = openSink(join(dir.path, 'audit.db'), { eventRetentionMs: 20_000, now });
    const pipeline = createAuditPipeline(sink);
    // Two partitions, so two chains: the first one begins in the year 3,000, twice.
    const ahead = [noise(50_000_000, 100), noise(50_000_001, 100)];
    for (const [n, batch] of ahead.entries()) await pipeline([inRecord(TOPIC.events, n, batch)]);
    for (let n = 0; n < 50; n++) await pipeline([{ ...inRecord(TOPIC.events, n, noise(n, 100)), partition: 1 }]);
    const gone = (): number | undefined => sink.stats().dropped[0]?.count;
    assert.equal(gone(), 50, "the other host's, as a wall clock of second 100 has it");
    await pipeline([inRecord(TOPIC.events, 2, noise(90, 100))]);
    assert.equal(gone(), 50, 'what came after them is young');
    await sink.close();
    const later = openSink(join(dir.path, 'audit.db'), { eventRetentionMs: 20_000, now: () => now() + 15_000_000 });
    await createAuditPipeline(later)([inRecord(TOPIC.events, 3, noise(112, 100))]);
    assert.equal(later.stats().dropped[0]?.count, 53, 'and goes with them when it has become old');
    await later.close();
  });
});

suite('a file that is no audit trail', () => {
  test('is kept aside, and a new one begun', async () => {
    using dir = tempDir();
    const path = join(dir.path, 'audit.db');
    writeFileSync(path, 'this was a database once'.repeat(500));
    const sink = openSink(path);
    await createAuditPipeline(sink)([inRecord(TOPIC.alerts, 0, encode('Alert', createTestAlert(0)))]);
    await sink.close();
    assert.ok(sink.movedAside !== null && existsSync(sink.movedAside));
    assert.equal(statSync(path).mode & 0o777, 0o600, 'arguments hold secrets');
  });

  test('and settings out of bounds are refused', () => {
    assert.throws(() => compileAuditorOptions({ path: '' }), RangeError);
    assert.throws(() => compileAuditorOptions({ path: 'x', maxBytes: 1 }), /auditor\.maxBytes is 1/);
    assert.throws(() => compileAuditorOptions({ path: 'x', eventRetentionMs: 0 }), /eventRetentionMs/);
  });
});
