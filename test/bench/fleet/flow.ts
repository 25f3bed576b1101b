import { setTimeout as sleep } from 'node:timers/promises';
import { count, percent } from '../lib/figures.ts';
import type { Report } from '../lib/report.ts';
import { cpuSeconds } from '../lib/usage.ts';
import type { Child } from './child.ts';
import type { Counts, MeasuredFleet } from './measured-fleet.ts';

const IDLE_MS = 8000;
/** Cores that all processes together take when nothing is left to do. */
const AT_REST = 0.5;

/** Of the feed: what it has sent. */
export interface Fed {
  readonly events: number;
  readonly bytes: number;
  readonly batches: number;
  readonly seconds: number;
}

/** Hosts `from` … `from + hosts − 1` of the feed, at `rate` events/s together; 0: as fast as the brokers take them. */
export interface Load {
  readonly label: string;
  readonly from: number;
  readonly hosts: number;
  readonly rate: number;
}

/** What was fed, how long it took until nothing waited, and what each process cost. */
export interface Round extends Fed {
  readonly load: Load;
  readonly wholeSeconds: number;
  /** seconds, by process */
  readonly cpu: ReadonlyMap<string, number>;
}

/** Cores that each process takes when nothing comes: fetches that wait, heartbeats, timers. */
export async function idleCpu(place: MeasuredFleet): Promise<ReadonlyMap<string, number>> {
  for (let attempt = 0; ; attempt++) {
    const before = place.cpu();
    await sleep(IDLE_MS);
    const idle = new Map([...place.cpu()].map(([name, s]) => [name, (s - (before.get(name) ?? s)) / (IDLE_MS / 1000)]));
    // Elasticsearch goes on merging for a while.
    if (sum(idle) < AT_REST || attempt === 10) return idle;
  }
}

const sum = (cpu: ReadonlyMap<string, number>): number => [...cpu.values()].reduce((total, s) => total + s, 0);

export async function round(report: Report, place: MeasuredFleet, feed: Child, load: Load): Promise<Round> {
  const before = await place.counts();
  const cpu = (): Map<string, number> => new Map([...place.cpu(), ['feed', cpuSeconds(feed.pid)]]);
  const cpuBefore = cpu();
  const began = performance.now();
  const fed = await feed.ask<Fed>(`${load.from} ${load.hosts} ${load.rate}`);
  const after = await place.drain(before, fed.events);
  const wholeSeconds = (performance.now() - began) / 1000;
  const taken = new Map([...cpu()].map(([name, s]) => [name, s - (cpuBefore.get(name) ?? 0)]));
  check(report, load.label, fed, before, after);
  await place.drain(after, (await feed.ask<Fed>(`rest ${load.from} ${load.hosts}`)).events);
  return { ...fed, load, wholeSeconds, cpu: taken };
}

/** What must not be, whatever the speed: an event that is missing, twice there, or refused. */
function check(report: Report, label: string, { events }: Fed, before: Counts, after: Counts): void {
  const more = <K extends 'enricher' | 'detector'>(name: K, key: keyof Counts[K]): number =>
    Number(after[name][key]) - Number(before[name][key]);
  const wrong = {
    'enriched beyond those fed': more('enricher', 'events') - events,
    'detected beyond those fed and gaps': more('detector', 'events') - events - more('enricher', 'gaps'),
    duplicates: more('enricher', 'duplicates') + more('detector', 'duplicates'),
    missing: more('enricher', 'missing'),
    evicted: more('enricher', 'evicted'),
    forged: more('detector', 'forged'),
  };
  for (const [what, number] of Object.entries(wrong))
    if (number !== 0) report.fail(`${label}: ${number} ${what}, of ${count(events)} events`);
}

/** A table: of each process the CPU per event that its being there doesn't explain, and what that would be per core. */
export function tellRounds(
  report: Report,
  title: string,
  rounds: readonly Round[],
  idle: ReadonlyMap<string, number>,
): void {
  const names = [...new Set(rounds.flatMap(({ cpu }) => [...cpu.keys()]))];
  const micros = ({ cpu, events, wholeSeconds }: Round, name: string): number =>
    (Math.max(0, (cpu.get(name) ?? 0) - (idle.get(name) ?? 0) * wholeSeconds) / events) * 1e6;
  report.table({
    title,
    columns: ['', 'events', 'fed/s', 'done/s', 'cores', 'µs/event', ...names],
    rows: [
      ...rounds.map((one) => [
        one.load.rate === 0 ? one.load.label : `${one.load.label} at ${count(one.load.rate)}/s`,
        count(one.events),
        count(one.events / one.seconds),
        count(one.events / one.wholeSeconds),
        (sum(one.cpu) / one.wholeSeconds).toFixed(2),
        names.reduce((total, name) => total + micros(one, name), 0).toFixed(1),
        ...names.map((name) => micros(one, name).toFixed(2)),
      ]),
      ['idle, of a core', '', '', '', '', '', ...names.map((name) => percent(idle.get(name) ?? 0))],
    ],
    notes: [
      'under the processes: CPU time of each per event, µs, without what it takes when idle; cores: all of them together, idling included',
    ],
  });
}
