import { setTimeout as sleep } from 'node:timers/promises';
import { count, percent, sumOf } from '../lib/figures.ts';
import type { Report } from '../lib/report.ts';
import { cpuSeconds } from '../lib/usage.ts';
import type { Child } from './child.ts';
import type { Counts, MeasuredFleet } from './measured-fleet.ts';

const IDLE_MS = 8000;
/** Total CPU of all processes, in cores, below which the fleet counts as idle */
const MAX_IDLE_CORES = 0.5;

/** What the feed has sent, as it reports it */
export interface Fed {
  readonly events: number;
  readonly bytes: number;
  readonly batches: number;
  readonly seconds: number;
}

/** The feed's hosts `from` to `from + hosts − 1`, at `rate` events/s in total (0: as fast as the brokers accept) */
export interface Load {
  readonly label: string;
  readonly from: number;
  readonly hosts: number;
  readonly rate: number;
}

/** The result of a load */
export interface Round extends Fed {
  readonly load: Load;
  /** Time until all services had processed the events */
  readonly totalSeconds: number;
  /** CPU seconds by process */
  readonly cpu: ReadonlyMap<string, number>;
}

/** Waits until the fleet is idle, and returns the cores that each process uses then (fetches, heartbeats, timers). */
export async function idleCpu(fleet: MeasuredFleet): Promise<ReadonlyMap<string, number>> {
  for (let attempt = 0; ; attempt++) {
    const before = fleet.cpu();
    await sleep(IDLE_MS);
    const idle = new Map([...fleet.cpu()].map(([name, s]) => [name, (s - (before.get(name) ?? s)) / (IDLE_MS / 1000)]));
    // Elasticsearch continues to merge segments for a while.
    if (sumOf(idle.values()) < MAX_IDLE_CORES || attempt === 10) return idle;
  }
}

/** Plays a load, waits until it is processed, and reports wrong counters. */
export async function round(report: Report, fleet: MeasuredFleet, feed: Child, load: Load): Promise<Round> {
  const before = await fleet.counts();
  const cpu = (): Map<string, number> => new Map([...fleet.cpu(), ['feed', cpuSeconds(feed.pid)]]);
  const cpuBefore = cpu();
  const began = performance.now();
  const fed = await feed.ask<Fed>(`${load.from} ${load.hosts} ${load.rate}`);
  const after = await fleet.drain(before, fed.events);
  const totalSeconds = (performance.now() - began) / 1000;
  const taken = new Map([...cpu()].map(([name, s]) => [name, s - (cpuBefore.get(name) ?? 0)]));
  checkCounts(report, load.label, fed, before, after);
  await fleet.drain(after, (await feed.ask<Fed>(`rest ${load.from} ${load.hosts}`)).events);
  return { ...fed, load, totalSeconds, cpu: taken };
}

/** Reports a failure when an event is missing, duplicated or refused. */
function checkCounts(report: Report, label: string, { events }: Fed, before: Counts, after: Counts): void {
  const increase = <K extends 'enricher' | 'detector'>(name: K, key: keyof Counts[K]): number =>
    Number(after[name][key]) - Number(before[name][key]);
  const deviations = {
    'more events enriched than fed': increase('enricher', 'events') - events,
    'more events detected than fed, gaps included':
      increase('detector', 'events') - events - increase('enricher', 'gaps'),
    'duplicate events': increase('enricher', 'duplicates') + increase('detector', 'duplicates'),
    'missing events': increase('enricher', 'missing'),
    evictions: increase('enricher', 'evicted'),
    'forged records': increase('detector', 'forged'),
  };
  for (const [name, number] of Object.entries(deviations))
    if (number !== 0) report.fail(`${label}: ${number} ${name} (${count(events)} events fed)`);
}

/** Reports a table of the rounds, with the CPU time per event of each process beyond its idle CPU time. */
export function reportRounds(
  report: Report,
  title: string,
  rounds: readonly Round[],
  idle: ReadonlyMap<string, number>,
): void {
  const names = [...new Set(rounds.flatMap(({ cpu }) => [...cpu.keys()]))];
  const micros = ({ cpu, events, totalSeconds }: Round, name: string): number =>
    (Math.max(0, (cpu.get(name) ?? 0) - (idle.get(name) ?? 0) * totalSeconds) / events) * 1e6;
  report.table({
    title,
    columns: ['', 'events', 'fed/s', 'done/s', 'cores', 'µs/event', ...names],
    rows: [
      ...rounds.map((result) => [
        result.load.rate === 0 ? result.load.label : `${result.load.label} at ${count(result.load.rate)}/s`,
        count(result.events),
        count(result.events / result.seconds),
        count(result.events / result.totalSeconds),
        (sumOf(result.cpu.values()) / result.totalSeconds).toFixed(2),
        sumOf(names.map((name) => micros(result, name))).toFixed(1),
        ...names.map((name) => micros(result, name).toFixed(2)),
      ]),
      ['idle, share of a core', '', '', '', '', '', ...names.map((name) => percent(idle.get(name) ?? 0))],
    ],
    notes: [
      'columns of processes: CPU time per event beyond the idle CPU time, µs; cores: all processes together, including idle CPU time',
    ],
  });
}
