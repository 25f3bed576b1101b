/**
 * Prints the cost of the bus beside bare SQLite: `node --conditions=@ringfence/source packages/bus/bench/produce.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { openEmbeddedBus } from '../src/embedded/bus.ts';

interface Run {
  readonly seconds: number;
  /** Time of each call, ms, ascending. */
  readonly calls: Float64Array;
}

const ROUNDS = 3;
const SIZES = [
  { size: 60_000, count: 4000 },
  { size: 1000, count: 40_000 },
];

function timed(count: number, call: (i: number) => void): Run {
  const calls = new Float64Array(count);
  const started = performance.now();
  for (let i = 0, before = started; i < count; i++) {
    call(i);
    const now = performance.now();
    calls[i] = now - before;
    before = now;
  }
  return { seconds: (performance.now() - started) / 1000, calls: calls.sort() };
}

/** A single table, a transaction for each insert, SQLite's own checkpoints. */
function bareSqlite(path: string, value: Buffer, count: number): Run {
  const db = new Database(path);
  db.pragma('page_size = 8192');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.exec('CREATE TABLE p (offset INTEGER PRIMARY KEY, ts INTEGER, key TEXT, value BLOB)');
  const insert = db.prepare('INSERT INTO p VALUES (?, ?, ?, ?)');
  const run = timed(count, (i) => insert.run(i, i, 'host', value));
  db.close();
  return run;
}

async function produceOnly(path: string, value: Buffer, count: number): Promise<Run> {
  await using bus = await openBus(path);
  const records = [{ topic: 'a', key: 'host', value }];
  const calls = new Float64Array(count);
  const started = performance.now();
  for (let i = 0, before = started; i < count; i++) {
    await bus.produce(records);
    const now = performance.now();
    calls[i] = now - before;
    if (i % 8 === 7) await nextTurn();
    before = performance.now();
  }
  return { seconds: (performance.now() - started) / 1000, calls: calls.sort() };
}

/** A producer, and a consumer that forwards each record to another topic, as the enricher does. */
async function produceAndForward(path: string, value: Buffer, count: number): Promise<Run> {
  await using bus = await openBus(path);
  await using consumer = await bus.consumer({ group: 'g', topics: ['a'] });
  const calls: number[] = [];
  const started = performance.now();
  const forward = async (): Promise<void> => {
    for (let done = 0; done < count; ) {
      const records = await consumer.poll();
      const before = performance.now();
      await consumer.commit(records, { outputs: records.map((record) => ({ ...record, topic: 'b' })), state: [] });
      calls.push(performance.now() - before);
      done += records.length;
    }
  };
  const produce = async (): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await bus.produce([{ topic: 'a', key: 'host', value }]);
      if (i % 8 === 7) await nextTurn();
    }
  };
  await Promise.all([forward(), produce()]);
  return { seconds: (performance.now() - started) / 1000, calls: Float64Array.from(calls).sort() };
}

async function openBus(path: string): ReturnType<typeof openEmbeddedBus> {
  const bus = await openEmbeddedBus({ path });
  const topic = { partitions: 1, compacted: false, retentionMs: 3_600_000, retentionBytes: 2 ** 30 };
  await bus.ensureTopics([
    { name: 'a', ...topic },
    { name: 'b', ...topic },
  ]);
  return bus;
}

function print(operation: string, run: Run, size: number, count: number, baseline: Run): void {
  const perSecond = count / run.seconds;
  const at = (share: number): string =>
    ((run.calls[Math.floor((run.calls.length - 1) * share)] ?? 0) * 1000).toFixed(0).padStart(6);
  const columns = [
    operation.padEnd(22),
    `${(size / 1000).toFixed(0).padStart(3)} kB`,
    `${perSecond.toFixed(0).padStart(7)} records/s`,
    `${((perSecond * size) / 1e6).toFixed(1).padStart(6)} MB/s`,
    `p50 ${at(0.5)} µs  p99 ${at(0.99)} µs  max ${at(1)} µs`,
    `ratio ${(baseline.seconds / run.seconds).toFixed(2)}`,
  ];
  process.stdout.write(`${columns.join('  ')}\n`);
}

const directory = mkdtempSync(join(tmpdir(), 'rf-bus-bench-'));
try {
  for (const { size, count } of SIZES) {
    const value = Buffer.alloc(size, 7);
    for (let round = 0; round < ROUNDS; round++) {
      const path = (name: string): string => join(directory, `${name}-${size}-${round}.db`);
      const baseline = bareSqlite(path('bare'), value, count);
      print('bare SQLite', baseline, size, count, baseline);
      print('produce', await produceOnly(path('produce'), value, count), size, count, baseline);
      print('produce, read, forward', await produceAndForward(path('forward'), value, count), size, count, baseline);
      for (const name of ['bare', 'produce', 'forward']) rmSync(path(name), { force: true });
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}
