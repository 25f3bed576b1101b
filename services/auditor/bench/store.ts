/**
 * Prints the auditor's throughput in events/s, for batches of 700 and 5,000 events with executions, next to a plain
 * insert of the same bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOPIC } from '@ringfence/wire';
import Database from 'better-sqlite3';
import { createAuditPipeline, SqliteSink } from '../src/index.ts';
import { createTestBatch, createTestProcess, execBody, inRecord, openBody, type TestEvent } from '../test/support.ts';

const PROCESSES = 30;
const SECONDS = 3;

function batches(size: number, count: number): Buffer[] {
  const processes = Array.from({ length: PROCESSES }, (_, i) => createTestProcess(1000 + i, { parent: i - 1 }));
  return Array.from({ length: count }, (_, batch) => {
    const events = Array.from({ length: size }, (_, i): TestEvent => {
      const sequence = batch * size + i + 1;
      const body =
        i % 250 === 0
          ? execBody('/usr/bin/id', ['id', '-u'])
          : openBody(`/usr/lib/x86_64/${(sequence * 2654435761) % 9973}`);
      return { process: (i * 7) % PROCESSES, sequence, ktime: sequence * 7, body };
    });
    return createTestBatch(processes, events);
  });
}

async function audit(path: string, size: number, values: readonly Buffer[]): Promise<number> {
  const sink = new SqliteSink({ path, maxBytes: 2 ** 30, eventRetentionMs: 1e9, synchronous: 'full' });
  const pipeline = createAuditPipeline(sink);
  const started = performance.now();
  let events = 0;
  let offset = 0;
  while (performance.now() - started < SECONDS * 1000 && offset < values.length) {
    const group = values.slice(offset, offset + Math.max(1, Math.floor(7000 / size)));
    await pipeline(group.map((value, i) => inRecord(TOPIC.events, offset + i, value)));
    offset += group.length;
    events += group.length * size;
  }
  const rate = events / ((performance.now() - started) / 1000);
  const { payloadBytes, storedBytes, stored, usedBytes } = sink.stats();
  console.log(
    `  stored ${stored.events} batches, ${stored.execution} executions; ${(payloadBytes / events).toFixed(0)} B per event, compressed ${(payloadBytes / storedBytes).toFixed(1)}×, file ${(usedBytes / 2 ** 20).toFixed(0)} MiB`,
  );
  await sink.close();
  return rate;
}

function plain(path: string, size: number, values: readonly Buffer[]): number {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)');
  const insert = db.prepare('INSERT INTO t (value) VALUES (?)');
  const started = performance.now();
  for (const value of values) insert.run(value);
  const rate = (values.length * size) / ((performance.now() - started) / 1000);
  db.close();
  return rate;
}

for (const size of [700, 5000]) {
  const dir = mkdtempSync(join(tmpdir(), 'rf-auditor-bench-'));
  const values = batches(size, Math.ceil(700_000 / size));
  console.log(`batches of ${size} events`);
  const audited = await audit(join(dir, 'audit.db'), size, values);
  const baseline = plain(join(dir, 'plain.db'), size, values);
  console.log(
    `  ${Math.round(audited).toLocaleString('en')} events/s; plain insert ${Math.round(baseline).toLocaleString('en')}; ratio ${(audited / baseline).toFixed(2)}`,
  );
  rmSync(dir, { recursive: true, force: true });
}
