import { type EventCursor, type Gap, LANE, type LaneCounters, u64ToHex } from '@ringfence/wire';
import type { EnricherStats } from '../metrics.ts';
import { type Boot, type Lane, laneOf, type Run } from '../state/boot.ts';
import type { BatchBuilder } from './batch.ts';
import { encodeEvent } from './encode-event.ts';

/** Causes of lost records. The other counters (self, unwatched, read_fault, owner) use no sequence numbers. */
const LOSSES: readonly string[] = ['ring_full', 'scratch', 'spool_full', 'malformed', 'log_rate'];

/** Recognizes duplicates, and makes gap events of missing sequence numbers. */
export class SequenceStep {
  readonly #stats: EnricherStats;

  constructor(stats: EnricherStats) {
    this.#stats = stats;
  }

  /** Reads the counters of losses. Must be called before the events of the batch. */
  readDrops(run: Run, lanes: readonly LaneCounters[]): void {
    for (const { lane, cpu, drops } of lanes) {
      const known = laneOf(run, lane, cpu);
      if (known === undefined) continue;
      const losses = LOSSES.filter((cause) => (drops[cause] ?? 0) > 0);
      known.drops = Object.fromEntries(losses.map((cause) => [cause, drops[cause] ?? 0]));
    }
  }

  /** Reads the last used sequence numbers. Must be called after the events of the batch. */
  readAnnounced(run: Run, lanes: readonly LaneCounters[], tick: number): void {
    for (const { lane, cpu, sequence } of lanes) laneOf(run, lane, cpu)?.tracker.announce(sequence, tick);
  }

  /** Returns false if the event is a duplicate. */
  isNew(lane: Lane | undefined, cursor: Pick<EventCursor, 'sequence'>, tick: number): boolean {
    if (lane === undefined || lane.tracker.see(cursor.sequence, tick)) return true;
    this.#stats.duplicates++;
    return false;
  }

  /** Adds a gap event for each range that has been missing for long enough, in the run and at the time of the tick. */
  reportGaps(boot: Boot, runId: string, ktime: number, out: BatchBuilder): void {
    for (const [id, run] of boot.runs) {
      for (const [key, lane] of run) {
        const lost = lane.tracker.takeLost(boot.tick);
        if (lost.length === 0) continue;
        const count = lost.reduce((sum, { from, to }) => sum + to - from + 1, 0);
        const reason = explain(lane, count) + (id === runId ? '' : ` in run ${id}`);
        const total = Math.max(count, totalOf(run, laneOfKey(key)));
        for (const { from, to } of lost) this.#report(boot, key, { from, to, reason, total }, ktime, out);
      }
    }
  }

  #report(boot: Boot, key: number, hole: Omit<Gap, 'ofLane' | 'ofCpu'>, ktime: number, out: BatchBuilder): void {
    const gap = { ofLane: laneOfKey(key), ofCpu: key % 65_536, ...hole };
    const sequence = ++boot.gapSequence;
    const bytes = encodeEvent({ lane: LANE.gap, sequence, ktime, body: { 'ringfence.Gap': gap } });
    out.add(null, null, null, -1, '', bytes, 0, bytes.length);
    this.#stats.gaps++;
    this.#stats.missing += hole.to - hole.from + 1;
  }
}

const laneOfKey = (key: number): number => Math.floor(key / 65_536);

/** Returns how many records of a lane the counters report as lost, on all CPUs. */
function totalOf(run: Run, wanted: number): number {
  let total = 0;
  for (const [key, { drops }] of run)
    if (laneOfKey(key) === wanted) for (const cause of LOSSES) total += drops[cause] ?? 0;
  return total;
}

/**
 * Returns the causes whose counters contain losses that no gap has explained yet. Counters are ahead of the gaps: what
 * exceeds `count` explains a later gap.
 */
function explain(lane: Lane, count: number): string {
  const causes: string[] = [];
  const explained: Record<string, number> = { ...lane.drops };
  let remaining = count;
  for (const cause of LOSSES) {
    const [counted, known] = [lane.drops[cause] ?? 0, lane.explained[cause] ?? 0];
    if (counted <= known) continue;
    causes.push(cause);
    const taken = Math.min(remaining, counted - known);
    explained[cause] = known + taken;
    remaining -= taken;
  }
  lane.explained = explained;
  return causes.join(', ') || 'unknown';
}

export const runIdOf = (run: Uint8Array): string => u64ToHex(run);
