import type { ChainRef, Incident, IncidentAction, IncidentReason, Join, Priority, ProcessName } from '@ringfence/wire';
import type { Triage } from './triage.ts';

export const MAX_RULES = 256;
/** Twice as many when they raised something themselves. */
export const MAX_PROCESSES = 256;
/** Ancestors of a chain's processes, hubs among them. */
export const MAX_ABOVE = 64;
/** Said of one chain. */
export const MAX_EDGES = 64;

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
  /** null: the process is unknown */
  readonly process: ProcessName | null;
  /** null: from a state entry of 0.1.0 */
  readonly action: IncidentAction | null;
  readonly reason: IncidentReason | null;
  /** The reason as 0.1.0 wrote it; empty: `reason` has it */
  readonly why: string;
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

/** What a chain was folded into: opened before it, and of another host, but for a detour through a third. */
export interface Survivor extends ChainRef {
  readonly tie: JoinCause;
}

/** The edge because of which two chains are joined. */
export type JoinCause = Pick<Join, 'edge' | 'kind' | 'why' | 'at' | 'reason'>;

/** A Join that does not carry a chain. */
export const WITHOUT_CHAIN: Pick<Join, 'chain' | 'rules'> = { chain: null, rules: [] };

/** A chain of another host that is part of this one: the newest Join that brought it. */
export type Member = Join & { readonly chain: Incident };

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
  /** µs since the epoch, of the alert that opened it */
  readonly openedAt: number;
  /** it has been on ringfence.incidents */
  published: boolean;
  /** edges said on ringfence.edges */
  edges: string[];
  /** ancestors of its processes, hubs among them: entity ids */
  above: string[];
  /** chains of this host that were seen elsewhere before they became part of this one */
  absorbed: string[];
  survivor: Survivor | null;
  /** by chain id */
  readonly members: Map<string, Member>;
  /** µs: when a member last changed, by this host's ticks */
  touchedKtime: number;
  triage: Triage;
}

/** For one process more; `raised`: it raised something itself. */
export const hasRoomFor = ({ processes }: Pick<Chain, 'processes'>, raised: boolean): boolean =>
  processes.size < (raised ? 2 * MAX_PROCESSES : MAX_PROCESSES);

export const refOf = ({ id, hostId, openedAt }: Chain): ChainRef => ({ chainId: id, hostId, openedAt });

/** A total order that never changes: however often and wherever two chains meet, the same one survives. */
export function opensBefore(a: ChainRef, b: ChainRef): boolean {
  return a.openedAt === b.openedAt ? a.chainId < b.chainId : a.openedAt < b.openedAt;
}
