import { type ChainRef, SequenceTracker } from '@ringfence/wire';
import type { Chain } from './chain.ts';
import { Links } from './links.ts';
import { type HostNames, Network } from './network.ts';
import { Remembered } from './remembered.ts';
import type { Triage } from './triage.ts';

const MAX_RUNS = 4;
const MAX_LANES = 16_384;
const MAX_FORWARDS = 1024;
const MAX_HOPS = 32;
const MAX_SETTLED = 512;

export type Verdicts = readonly [positive: number, negative: number];

export interface Settled {
  readonly version: number;
  readonly triage: Triage;
}

/** Sequence numbers of one run's lanes, by lane * 65536 + cpu */
export type Run = Map<number, SequenceTracker>;

/** The memory of one host. */
export class Host {
  readonly id: string;
  /** Partition of its records */
  partition = 0;
  tick = 0;
  nextOrdinal = 1;
  /** By incident id, in the order of opening */
  readonly chains: Map<string, Chain> = new Map();
  /** The chain that a key links to: a process, a login session, a workload, the content of a file */
  readonly byKey: Map<string, Chain> = new Map();
  /** Number of chains that a rule had a part in */
  readonly rarity: Map<string, number> = new Map();
  /** Verdicts on incidents with the rule */
  readonly verdicts: Map<string, Verdicts> = new Map();
  /** Triage and last version of incidents whose chains are closed */
  readonly settled: Remembered<Settled> = new Remembered(MAX_SETTLED);
  /** By boot and run, the latest one last */
  readonly runs: Map<string, Run> = new Map();
  readonly network: Network = new Network();
  readonly links: Links = new Links();
  /** Of the last tick, µs */
  ktime = 0;
  /** The chain that took over a merged or closed one, of this host or another, by chain id */
  readonly forwards: Remembered<ChainRef> = new Remembered(MAX_FORWARDS);
  /** Members that were added, changed or removed since the last drain: `<chain>/<member>` */
  readonly changedMembers: Set<string> = new Set();
  /** Since the last drain: chains to write whole, chains whose counts changed, and ids of removed chains */
  readonly changed: Set<Chain> = new Set();
  readonly counted: Set<Chain> = new Set();
  readonly gone: Set<string> = new Set();

  constructor(id: string) {
    this.id = id;
  }

  setNames({ hostname, addresses }: HostNames): void {
    Object.assign(this.network, { hostname, addresses });
  }

  /**
   * Returns the chain, or the chain it was merged into; a reference if that is on another host; undefined if the chain
   * is closed.
   */
  find(chainId: string): Chain | ChainRef | undefined {
    let id = chainId;
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const chain = this.chains.get(id);
      if (chain !== undefined) return chain;
      const forward = this.forwards.get(id);
      if (forward === undefined || forward.hostId !== this.id) return forward;
      id = forward.chainId;
    }
    return undefined;
  }

  /** Returns the chain that lists the alert. */
  withAlert(alertId: string): Chain | undefined {
    for (const chain of this.chains.values()) if (chain.alerts.some(({ id }) => id === alertId)) return chain;
    return undefined;
  }

  run(id: string): Run {
    // The run of the logs is rarely used and must outlast the runs of sensors: each use moves a run to the end.
    const run: Run = this.runs.get(id) ?? new Map();
    this.runs.delete(id);
    this.runs.set(id, run);
    if (this.runs.size > MAX_RUNS) {
      const [oldest] = this.runs.keys();
      this.runs.delete(oldest as string);
    }
    return run;
  }

  hasBoot(bootId: string): boolean {
    for (const id of this.runs.keys()) if (id.startsWith(`${bootId}/`)) return true;
    return false;
  }

  /** Adds a chain; chains must be added in the order of their ordinals. */
  addChain(chain: Chain): void {
    this.chains.set(chain.id, chain);
    for (const key of chain.keys) this.byKey.set(key, chain);
  }

  removeChain(chain: Chain): void {
    this.chains.delete(chain.id);
    this.changed.delete(chain);
    this.counted.delete(chain);
    this.gone.add(chain.id);
    for (const id of chain.members.keys()) this.changedMembers.add(`${chain.id}/${id}`);
    for (const key of chain.keys) if (this.byKey.get(key) === chain) this.byKey.delete(key);
  }
}

/** Returns false if the number was seen before. */
export function isNew(run: Run, lane: number, cpu: number, sequence: number, tick: number): boolean {
  const key = lane * 65_536 + cpu;
  let tracker = run.get(key);
  if (tracker === undefined) {
    if (run.size >= MAX_LANES) return true;
    tracker = new SequenceTracker();
    run.set(key, tracker);
  }
  return tracker.see(sequence, tick);
}
