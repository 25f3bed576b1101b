import type {
  ChainRef,
  Incident,
  Join,
  Stage,
  StateAlert,
  StateAlertCounts,
  StateContainer,
  StateJoinCause,
  StateProcess,
  StateSurvivor,
} from '@ringfence/wire';
import type { Triage } from './triage.ts';

export const MAX_RULES = 256;
/** Processes of a chain; those that raised an alert may be twice as many. */
export const MAX_PROCESSES = 256;
/** Ancestors of a chain's processes, hubs included */
export const MAX_ABOVE = 64;
/** Edges that one chain publishes */
export const MAX_EDGES = 64;

export type ChainContainer = StateContainer;
export type ChainProcess = StateProcess;
export type Survivor = StateSurvivor;

/** The edge because of which two chains are joined. */
export type JoinCause = StateJoinCause;

/** The first alert of one rule about one process; repetitions are counted in it. */
export type ChainAlert = Omit<StateAlert, keyof StateAlertCounts> & {
  -readonly [field in keyof StateAlertCounts]: StateAlertCounts[field];
};

/** The part of one rule in the score. */
export interface RuleWeight {
  readonly weight: number;
  /** µs, of its last alert */
  ktime: number;
}

/** A Join that does not carry a chain. */
export const WITHOUT_CHAIN: Pick<Join, 'chain' | 'rules'> = { chain: null, rules: [] };

/** A chain of another host that is part of this one: the newest Join that brought it. */
export type Member = Join & { readonly chain: Incident };

/** Alerts of one host that belong together. Published as an incident once its score reaches the threshold. */
export interface Chain {
  /** The incident's id */
  readonly id: string;
  readonly hostId: string;
  readonly bootId: string;
  /** In the order of opening, over the host */
  readonly ordinal: number;
  /** Writes of the chain or its counts; of both entries the one with the higher revision holds */
  revision: number;
  /** Last version published; 0: none */
  version: number;
  /** µs since the epoch */
  firstSeen: number;
  lastSeen: number;
  /** µs, of the last alert */
  lastKtime: number;
  alerts: ChainAlert[];
  /** Alerts beyond the listed ones */
  omitted: number;
  /** In the order first seen (µs since the epoch) */
  stages: { -readonly [field in keyof Stage]: Stage[field] }[];
  rules: Record<string, RuleWeight>;
  /** By entity id */
  readonly processes: Map<string, ChainProcess>;
  /** Keys that link alerts to the chain: entity ids of processes, and those of `sharedKeys` */
  keys: string[];
  /** Repetitions were counted since the last version */
  stale: boolean;
  /** µs since the epoch, of the alert that opened it */
  readonly openedAt: number;
  /** Its incident has been on ringfence.incidents */
  published: boolean;
  /** Ids of edges that were published */
  edges: string[];
  /** Entity ids of the ancestors of its processes, hubs included */
  above: string[];
  /** Chains of this host that were merged into this one, and that other hosts may know */
  mergedIds: string[];
  /** The chain of another host that this one is part of */
  survivor: Survivor | null;
  /** By chain id */
  readonly members: Map<string, Member>;
  /** When a member last changed, by this host's ticks, µs */
  touchedKtime: number;
  triage: Triage;
}

/** Whether there is room for another process. `isActor`: the process raised an alert itself. */
export const hasRoomFor = ({ processes }: Pick<Chain, 'processes'>, isActor: boolean): boolean =>
  processes.size < (isActor ? 2 * MAX_PROCESSES : MAX_PROCESSES);

export const refOf = ({ id, hostId, openedAt }: Chain): ChainRef => ({ chainId: id, hostId, openedAt });

/** A total order that never changes: the same one of two chains survives, however often and wherever they meet. */
export function opensBefore(a: ChainRef, b: ChainRef): boolean {
  return a.openedAt === b.openedAt ? a.chainId < b.chainId : a.openedAt < b.openedAt;
}
