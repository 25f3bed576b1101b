import { openRecording } from '@ringfence/wire';
import { type Case, enrichedCases, kernelCases, rawCases } from '../lib/codec-cases.ts';
import type { BenchContext } from '../lib/context.ts';
import { BenchError } from '../lib/errors.ts';
import { count, percentile, range, ratio } from '../lib/figures.ts';

const ROUNDS = 5;
const MIN_SECONDS = 0.3;
/** Batches of the stream that are used: avsc creates an object for every event. */
const MAX_BATCHES = 200;

/** Compares each codec of the hot path with avsc over the recorded events. A codec must be twice as fast to be kept. */
export async function codecs(context: BenchContext): Promise<void> {
  const { report, recorded } = context;
  const { path, batches } = await recorded('busy');
  await using recording = await openRecording(path);
  const raw: Buffer[] = [];
  for await (const value of recording.records()) if (raw.length < MAX_BATCHES) raw.push(Buffer.from(value));
  const enriched = batches.slice(0, MAX_BATCHES);
  const cases = [...kernelCases(), ...rawCases(raw), ...enrichedCases(enriched)];
  for (const { name, ours, avsc } of cases)
    if (ours() !== avsc()) throw new BenchError('ERR_BENCH_SETUP', `${name}: the two codecs do not agree`);
  const results = cases.map((entry) => ({ ...entry, times: measure(entry) }));
  report.table({
    title: `codecs: ${count(cases[1]?.events ?? 0)} recorded events, one thread, CPU time`,
    columns: ['', 'events/s ours (min · median · max)', 'events/s avsc (min · median · max)', '×'],
    rows: results.map(({ name, times }) => [
      name,
      range(times.ours, count),
      range(times.avsc, count),
      ratio(percentile(times.ours, 50), percentile(times.avsc, 50)),
    ]),
  });
  report.figure(
    'cases',
    results.map(({ name, times }) => ({ name, ...times })),
  );
}

/** Returns events per CPU second. The codecs take turns, so that other load on the machine affects both alike. */
function measure({ events, ours, avsc }: Case): { readonly ours: readonly number[]; readonly avsc: readonly number[] } {
  const times = { ours: [] as number[], avsc: [] as number[] };
  for (let round = -1; round < ROUNDS; round++)
    for (const [side, work] of [
      ['ours', ours],
      ['avsc', avsc],
    ] as const) {
      const perSecond = events / secondsOf(work);
      // The first round only warms up.
      if (round >= 0) times[side].push(perSecond);
    }
  return times;
}

/** Returns the CPU seconds of one call. The kernel counts CPU time in ticks, so the call is repeated. */
function secondsOf(work: () => number): number {
  const begin = process.threadCpuUsage();
  for (let calls = 1; ; calls++) {
    work();
    const { user, system } = process.threadCpuUsage(begin);
    const seconds = (user + system) / 1e6;
    if (seconds >= MIN_SECONDS) return seconds / calls;
  }
}
