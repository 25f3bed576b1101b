import { eventKinds } from '@ringfence/fields';
import type { InterestGroup } from './interest-groups.ts';

/** Counters of the service, and the interests of its hosts. */
export interface EnricherServiceStats extends EnricherStats {
  readonly interests: readonly InterestGroup[];
  /** hosts with an older interest than the newest one in use, or with none */
  readonly hostsBehind: number;
}

/**
 * Why an enricher can't judge whether hosts are silent: its checks run too late, it has not read all records, or the
 * brokers don't report how far behind it is.
 */
export type DeafReason = 'late' | 'behind' | 'unreachable';

/** Counters, which only grow; the last two fields are states. */
export interface EnricherStats {
  batches: number;
  events: number;
  /** events by kind */
  readonly kinds: Record<string, number>;
  /** dropped events, whose sequence number had arrived before */
  duplicates: number;
  /** gap events */
  gaps: number;
  /** records that are missing according to them */
  missing: number;
  /** events with partial context */
  partial: number;
  /** entries that were evicted or refused: processes, users, containers, hashes, names of addresses, lanes */
  evicted: number;
  /** output batches beyond one per input, because of the size limit of records */
  splits: number;
  /** log lines from agents, which are signed */
  logLines: number;
  /** log lines from Filebeat, which are not signed */
  filebeatLines: number;
  /** checks for silent hosts that could not judge any host, by reason */
  readonly deafLooks: Record<DeafReason, number>;
  /** why silent hosts are not reported at the moment, as text; null: they are */
  deaf: string | null;
  processes: number;
}

/** Counts an event. */
export function countEvent(stats: EnricherStats, kind: number): void {
  const name = eventKinds.names[kind] as string;
  stats.events++;
  stats.kinds[name] = (stats.kinds[name] as number) + 1;
}

export function createStats(): EnricherStats {
  return {
    batches: 0,
    events: 0,
    kinds: Object.fromEntries(eventKinds.names.map((name) => [name, 0])),
    duplicates: 0,
    gaps: 0,
    missing: 0,
    partial: 0,
    evicted: 0,
    splits: 0,
    logLines: 0,
    filebeatLines: 0,
    deafLooks: { late: 0, behind: 0, unreachable: 0 },
    deaf: null,
    processes: 0,
  };
}
