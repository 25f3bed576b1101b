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

/** Lanes of one run by lane * 65536 + cpu. */
export type Run = Map<number, SequenceTracker>;

/** All that is remembered of one host. */
export class Host {
  readonly id: string;
  /** input partition that its batches come from */
  partition = 0;
  tick = 0;
  nextOrdinal = 1;
  /** by incident id, in the order of opening */
  readonly chains: Map<string, Chain> = new Map();
  /** which chain a process belongs to, and whatever else may tie an alert to one: a login session, a workload, the content of a file */
  readonly byKey: Map<string, Chain> = new Map();
  /** in how many chains a rule has had a part */
  readonly rarity: Map<string, number> = new Map();
  /** how often a rule had a part in what was judged true, and false */
  readonly verdicts: Map<string, Verdicts> = new Map();
  /** what was said of incidents whose chains are closed, and their last versions */
  readonly settled: Remembered<Settled> = new Remembered(MAX_SETTLED);
  /** by boot and run; the one heard last is last */
  readonly runs: Map<string, Run> = new Map();
  readonly network: Network = new Network();
  readonly links: Links = new Links();
  /** µs, of the last tick */
  ktime = 0;
  /** where chains that are no more went, by chain id: another of this host, or what it had been folded into */
  readonly forwards: Remembered<ChainRef> = new Remembered(MAX_FORWARDS);
  /** members that came, changed or went since the last drain: `<chain>/<member>` */
  readonly changedMembers: Set<string> = new Set();
  /** since the last drain: chains to write whole, those of which only counts and times changed, and ids of those that went */
  readonly changed: Set<Chain> = new Set();
  readonly counted: Set<Chain> = new Set();
  readonly gone: Set<string> = new Set();

  constructor(id: string) {
    this.id = id;
  }

  setNames({ hostname, addresses }: HostNames): void {
    Object.assign(this.network, { hostname, addresses });
  }

  /** The chain, whatever became of it here; where it went, when that is elsewhere; undefined: it is gone. */
  find(chainId: string): Chain | ChainRef | undefined {
    let id = chainId;
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const chain = this.chains.get(id);
      if (chain !== undefined) return chain;
      const to = this.forwards.get(id);
      if (to === undefined || to.hostId !== this.id) return to;
      id = to.chainId;
    }
    return undefined;
  }

  /** The chain that lists the alert. */
  withAlert(alertId: string): Chain | undefined {
    for (const chain of this.chains.values()) if (chain.alerts.some(({ id }) => id === alertId)) return chain;
    return undefined;
  }

  run(id: string): Run {
    // A sensor's runs come and go; that of the logs stays, and is heard now and then.
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

  /** Puts a chain in its place; restoring calls it in the order of ordinals. */
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

/** false: seen before. */
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
