/**
 * Compares the sequence store with a Map of objects: 100,000 live keys of a two-step sequence, used in random order.
 * Prints the figures of both and their ratios (rows / objects) as JSON.
 *
 *   node --conditions=@ringfence/source --expose-gc test/bench/sequence-store.ts
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { EventRows, NO_DETAILS, PartialRows, SequenceKeys, type SequenceShape } from '@ringfence/sequence-store';
import { ObjectSequence } from './lib/sequence-objects.ts';

interface BenchEvent {
  readonly key: string;
  readonly id: string;
  /** Bit 0: the first step. Bit 1: the second. */
  readonly steps: number;
}

interface Subject {
  /** Returns the number of completed sequences. */
  take(event: BenchEvent, timeUs: number): number;
}

interface Figures {
  readonly eventsPerCpuSecond: number;
  readonly bytesPerKey: number;
  /** Time of all collections during the measured events, and of the longest. */
  readonly gcMs: number;
  readonly longestGcMs: number;
  readonly matched: number;
}

const KEYS = 100_000;
const WARM_UP = 200_000;
const EVENTS = 800_000;
/** Few events exist at a time, as behind a decoder: more would be copied by the garbage collector while they wait. */
const BATCH = 200;
const ROUNDS = 3;
const STEP_US = 10;
const MAXSPAN_US = 30_000_000;
const LATENESS_US = 2_000_000;
/** Event time of a host that has been up for a day: such times are no small integers. */
const START_US = 86_400_000_000;

const SHAPE: SequenceShape<never> = {
  ordered: true,
  maxspanUs: MAXSPAN_US,
  steps: [
    { kind: 'event', runs: 1, compares: [] },
    { kind: 'event', runs: 1, compares: [] },
  ],
  kept: [],
};

function rows(): Subject {
  const events = new EventRows();
  const keys = new SequenceKeys('bench', new PartialRows(events), { keys: 0, held: 0 }, true);
  keys.use(SHAPE, () => false);
  return {
    take({ key, id, steps }, timeUs) {
      const event = events.add(timeUs, steps, id, NO_DETAILS);
      const matches = keys.take(key, event, timeUs, timeUs - LATENESS_US);
      events.release(event);
      return matches.length;
    },
  };
}

function objects(): Subject {
  const sequence = new ObjectSequence(MAXSPAN_US, LATENESS_US);
  return { take: ({ key, id, steps }, timeUs) => sequence.take(key, timeUs, steps, id).length };
}

/** Returns a maker of the same events for every subject. */
function eventMaker(): (index: number) => BenchEvent {
  let seed = 1;
  const random = (count: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % count;
  };
  const text = (parts: string): string => Buffer.from(parts, 'latin1').toString('latin1');
  return (index) => {
    const key = index < KEYS ? index : random(KEYS);
    return {
      key: text(key.toString(16).padStart(8, '0').repeat(4)),
      id: text(`host/boot/run/0/0/${index}`),
      steps: index < KEYS || random(2) === 0 ? 1 : 2,
    };
  };
}

/** Returns the figures without the GC time, which is known in a later turn, and the time of the measured part. */
function measure(make: () => Subject): { figures: Figures; fromMs: number; toMs: number } {
  const next = eventMaker();
  const bytesBefore = memoryInUse();
  const subject = make();
  let matched = 0;
  const run = (from: number, to: number): number => {
    let cpuUs = 0;
    for (let at = from; at < to; at += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, n) => next(at + n));
      const started = process.cpuUsage();
      for (let n = 0; n < BATCH; n++) matched += subject.take(batch[n]!, START_US + (at + n) * STEP_US);
      const { user, system } = process.cpuUsage(started);
      cpuUs += user + system;
    }
    return cpuUs;
  };
  const first = KEYS + WARM_UP;
  run(0, first);
  const bytes = memoryInUse() - bytesBefore;
  const fromMs = performance.now();
  const cpuUs = run(first, first + EVENTS);
  const figures = {
    eventsPerCpuSecond: (EVENTS / cpuUs) * 1e6,
    bytesPerKey: bytes / KEYS,
    gcMs: 0,
    longestGcMs: 0,
    matched,
  };
  return { figures, fromMs, toMs: performance.now() };
}

function memoryInUse(): number {
  if (globalThis.gc === undefined) throw new Error('the benchmark needs node --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function summarize(all: readonly Figures[]): Figures {
  return {
    eventsPerCpuSecond: Math.round(medianOf(all.map((figures) => figures.eventsPerCpuSecond))),
    bytesPerKey: Math.round(medianOf(all.map((figures) => figures.bytesPerKey))),
    gcMs: Math.round(medianOf(all.map((figures) => figures.gcMs))),
    longestGcMs: Math.round(medianOf(all.map((figures) => figures.longestGcMs))),
    matched: all[0]!.matched,
  };
}

const collections: PerformanceEntry[] = [];
const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
observer.observe({ entryTypes: ['gc'] });
const found: { rows: Figures[]; objects: Figures[] } = { rows: [], objects: [] };
for (let round = 0; round < ROUNDS; round++)
  for (const [name, make] of [['rows', rows] as const, ['objects', objects] as const]) {
    const { figures, fromMs, toMs } = measure(make);
    // Collections are reported in later turns of the event loop.
    await setTimeout(50);
    const during = collections.filter(({ startTime }) => startTime >= fromMs && startTime < toMs);
    const gcMs = during.reduce((sum, { duration }) => sum + duration, 0);
    found[name].push({ ...figures, gcMs, longestGcMs: Math.max(0, ...during.map(({ duration }) => duration)) });
  }
observer.disconnect();
const [store, baseline] = [summarize(found.rows), summarize(found.objects)];
const ratio = (a: number, b: number): number => Math.round((a / b) * 100) / 100;
const result = {
  keys: KEYS,
  rows: store,
  objects: baseline,
  ratios: {
    eventsPerCpuSecond: ratio(store.eventsPerCpuSecond, baseline.eventsPerCpuSecond),
    bytesPerKey: ratio(store.bytesPerKey, baseline.bytesPerKey),
    gcMs: ratio(store.gcMs, baseline.gcMs),
    longestGcMs: ratio(store.longestGcMs, baseline.longestGcMs),
  },
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
