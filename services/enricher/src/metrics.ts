import { eventKinds } from '@ringfence/fields';
import type { InterestGroup } from './interest-groups.ts';

/** … and what its hosts filter with. */
export interface EnricherServiceStats extends EnricherStats {
  readonly interests: readonly InterestGroup[];
  /** hosts that filter with an older interest than the newest that is heard of, or with none */
  readonly hostsBehind: number;
}

/**
 * Why an enricher can tell no host silent: it looks too late, has not read all that was sent, or the brokers don't say how far behind it is.
 */
export type DeafBy = 'late' | 'behind' | 'unreachable';

/** What the enricher counts. All only grow, but for what is at the end. */
export interface EnricherStats {
  batches: number;
  events: number;
  /** … by kind */
  readonly kinds: Record<string, number>;
  /** events whose number had been seen: redeliveries, dropped */
  duplicates: number;
  /** gap events made, and the records they name */
  gaps: number;
  missing: number;
  /** events that went on with partial context */
  partial: number;
  /** processes, users, containers, hashes of files, addresses' names, lanes, boots that had to go for lack of room */
  evicted: number;
  /** output batches beyond one per input, made to stay under the bus's record size */
  splits: number;
  /** lines of logs: read by agents of ours, and sent by Filebeats, which nobody has signed */
  logLines: number;
  filebeatLines: number;
  /** looks at which hosts are silent, that judged none of them */
  readonly deafLooks: Record<DeafBy, number>;
  /** why none that falls silent now is told, in plain words; null: it is */
  deaf: string | null;
  processes: number;
}

/** One more event of a kind. */
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
