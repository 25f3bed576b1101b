import type { Priority } from '@ringfence/schema';

/** A container as a chain keeps it: JSON, so the cgroup id is hex. */
export interface ChainContainer {
  readonly cgroupId: string;
  readonly id: string;
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  readonly privileged: boolean | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly path: string;
}

export interface ChainProcess {
  readonly entityId: string;
  /** empty: a hub, or unknown */
  readonly parentEntityId: string;
  /** what follows is of this exec */
  readonly execId: number;
  readonly pid: number;
  readonly executable: string;
  readonly args: string;
  readonly user: string;
  readonly containerId: string;
}

/** The first alert of one rule about one process; repetitions are counted in it. */
export interface ChainAlert {
  readonly id: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  /** µs since the epoch */
  readonly timestamp: number;
  readonly entityId: string;
  /** what the process was then */
  readonly executable: string;
  readonly output: string;
  readonly why: string;
  /** what happened in plain words, without its time */
  readonly deed: string;
  readonly container: ChainContainer | null;
  /** alerts, this one included */
  count: number;
  /** µs since the epoch, of the last */
  lastTimestamp: number;
  /** minute of event time and alerts sent in it */
  minute: number;
  sentInMinute: number;
}

/** What one rule adds to the score. */
export interface RuleWeight {
  readonly weight: number;
  /** µs, of its last alert */
  ktime: number;
}

/** Alerts that hang together through processes. Published as an incident from a score on. */
export interface Chain {
  /** the incident's */
  readonly id: string;
  readonly hostId: string;
  readonly bootId: string;
  /** in the order of opening, over the host */
  readonly ordinal: number;
  /** how many times it was written: of the whole and of its counts the later one holds */
  revision: number;
  /** last one published; 0: none */
  version: number;
  /** µs since the epoch */
  firstSeen: number;
  lastSeen: number;
  /** µs, of the last alert */
  lastKtime: number;
  alerts: ChainAlert[];
  /** alerts beyond the listed */
  omitted: number;
  /** µs since the epoch by tactic, in the order first seen */
  stages: { readonly tactic: string; techniques: string[]; firstSeen: number }[];
  rules: Record<string, RuleWeight>;
  /** by entity id */
  readonly processes: Map<string, ChainProcess>;
  /** what joins: entity ids of processes, and for a hub's own alerts its id and the rule */
  keys: string[];
  /** repetitions were counted since the last version */
  stale: boolean;
}
