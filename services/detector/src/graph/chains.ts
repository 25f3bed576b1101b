import { type Alert, type IncidentReason, incidentId } from '@ringfence/wire';
import type { CompiledDetectorOptions } from '../config.ts';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, opensBefore, refOf } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import { UNTOUCHED } from '../state/triage.ts';
import type { Merge } from '../turn.ts';
import { addAllOf } from './merging.ts';

/** The chains of a host: connected parts of the graph of its alerts. */
export class Chains {
  readonly #options: CompiledDetectorOptions;
  readonly #stats: DetectorStats;

  constructor(options: CompiledDetectorOptions, stats: DetectorStats) {
    this.#options = options;
    this.#stats = stats;
  }

  open(host: Host, alert: Alert): Chain {
    const chain: Chain = {
      id: incidentId(alert.id),
      hostId: alert.hostId,
      bootId: alert.bootId,
      ordinal: host.nextOrdinal++,
      revision: 0,
      version: 0,
      firstSeen: alert.timestamp,
      lastSeen: alert.timestamp,
      lastKtime: alert.ktime,
      alerts: [],
      omitted: 0,
      stages: [],
      rules: {},
      processes: new Map(),
      keys: [],
      stale: false,
      openedAt: alert.timestamp,
      published: false,
      edges: [],
      above: [],
      mergedIds: [],
      survivor: null,
      members: new Map(),
      touchedKtime: 0,
      triage: UNTOUCHED,
    };
    host.addChain(chain);
    return chain;
  }

  /** Links alerts with this key to the chain from now on. Returns false if they were already, or there is no room. */
  linkKey(host: Host, chain: Chain, key: string): boolean {
    if (host.byKey.get(key) === chain) return false;
    if (chain.keys.length >= this.#options.maxEntities) {
      this.#stats.omittedEntities++;
      return false;
    }
    chain.keys.push(key);
    host.byKey.set(key, chain);
    host.changed.add(chain);
    return true;
  }

  /** Makes one chain of two: the chain that opened first survives. */
  merge(host: Host, a: Chain, b: Chain, reason: IncidentReason): Merge {
    const [survivor, absorbed] = opensBefore(refOf(a), refOf(b)) ? [a, b] : [b, a];
    host.removeChain(absorbed);
    host.changed.add(survivor);
    addAllOf(absorbed, survivor, this.#options.maxAlerts, reason);
    for (const key of absorbed.keys) this.linkKey(host, survivor, key);
    return { absorbed, survivor };
  }

  /** Returns the chain that has been idle for longest if the host has too many. */
  surplus(host: Host): Chain | undefined {
    if (host.chains.size <= this.#options.maxChains) return undefined;
    let idle: Chain | undefined;
    for (const chain of host.chains.values()) if (idle === undefined || chain.lastKtime < idle.lastKtime) idle = chain;
    this.#stats.evicted++;
    return idle;
  }
}
