import { type Alert, type EventView, incidentId, type ProcessInfo } from '@ringfence/wire';
import type { CompiledDetectorOptions } from '../config.ts';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, type ChainAlert, hasRoomFor, MAX_RULES, opensBefore, refOf, UNTOUCHED } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Rarity } from '../state/rarity.ts';
import { chainProcess, listed, minuteOf, noteStages, weightIn } from './chain-entries.ts';
import { isOwnWriter, loneKey, ownKeys, sharedTies, type Tie, tiesOf } from './chain-ties.ts';
import { climb } from './hubs.ts';
import type { LinkStep } from './links.ts';
import { merge } from './merging.ts';
import { weightOf } from './score.ts';
import { deedOf, OPENED } from './words.ts';

/** Whom a merged chain's incident has to tell. */
export interface Merge {
  readonly absorbed: Chain;
  readonly survivor: Chain;
}

export interface Joined {
  readonly chain: Chain;
  readonly merges: readonly Merge[];
  /** false: so many like it were sent this minute that it is only counted */
  readonly send: boolean;
  /** false: a repetition, which changes nothing but counts */
  readonly news: boolean;
  /** what joins to the chain from now on, and did not before */
  readonly fresh: readonly string[];
}

export interface ChainDeps {
  readonly options: CompiledDetectorOptions;
  readonly stats: DetectorStats;
  readonly links: LinkStep;
  readonly rarity: Rarity;
}

/** Puts alerts into chains: connected parts of the graph of alerts over processes and what else ties them (DESIGN §4). */
export class ChainStep {
  readonly #options: CompiledDetectorOptions;
  readonly #stats: DetectorStats;
  readonly #links: LinkStep;
  readonly #rarity: Rarity;

  constructor({ options, stats, links, rarity }: ChainDeps) {
    this.#options = options;
    this.#stats = stats;
    this.#links = links;
    this.#rarity = rarity;
  }

  /** `event` is the one that completed the alert. */
  join(host: Host, alert: Alert, event: EventView): Joined {
    const { isAgent, chainIdleMs } = this.#options;
    const climbed = climb(event, event.process, isAgent);
    const written = isOwnWriter(event, chainIdleMs * 1000) ? climb(event, event.writer, isAgent) : [];
    const keys = climbed.length > 0 ? climbed.map(({ entityId }) => entityId) : [loneKey(alert)];
    const shared = this.#links.sharedOf(host, event, climbed);
    const ties = [
      ...tiesOf(host, keys, climbed, written, event),
      ...sharedTies(host, shared),
      ...this.#peers(host, climbed.at(-1), event),
    ].filter(({ chain }, at, all) => all.findIndex((one) => one.chain === chain) === at);
    const first = ties.reduce<Tie | undefined>(
      (best, tie) => (best === undefined || opensBefore(refOf(tie.chain), refOf(best.chain)) ? tie : best),
      undefined,
    );
    const chain = first?.chain ?? this.#open(host, alert);
    const why = ties[0]?.why ?? (() => OPENED);
    // Merging changes what the words are taken from.
    const told = ties.length > 1 ? ties.map((tie) => tie.why()) : undefined;
    const merges = ties.flatMap((tie, at): Merge[] => {
      if (tie.chain === chain) return [];
      // The alert has its nearest tie's words already; the other one's tell what it brought together.
      const other = at === 0 ? ties.findIndex((one) => one.chain === chain) : at;
      return [this.absorb(host, chain, tie.chain, `"${alert.rule}": ${told?.[other] ?? ''}`)];
    });
    const { news, send } = this.#add(host, chain, alert, event, () => told?.[0] ?? why());
    // A writer that no earlier alert has named joins too: what it does next belongs to the file that ran. What started it, a session's shell
    // perhaps, does many other things.
    const writer = written.slice(0, 1);
    const all = new Map([...climbed, ...writer].map((process) => [process.entityId, process]));
    const entities = [...keys, ...writer.map(({ entityId }) => entityId)];
    const fresh = this.#tie(host, chain, [...entities, ...ownKeys(shared)], all, event);
    return { chain, merges, send, news, fresh };
  }

  /** false: there is no room for it. */
  tieKey(host: Host, chain: Chain, key: string): boolean {
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

  #peers(host: Host, root: ProcessInfo | undefined, { cursor }: EventView): Tie[] {
    if (root === undefined) return [];
    const peers = [...this.#links.peersOf(host, root.entityId, cursor.ktime)];
    return peers.map(({ chain, why }) => ({ chain, why: () => why }));
  }

  /** Closes the chain that has been idle for longest when there are too many. */
  makeRoom(host: Host): Chain | undefined {
    if (host.chains.size <= this.#options.maxChains) return undefined;
    let idle: Chain | undefined;
    for (const chain of host.chains.values()) if (idle === undefined || chain.lastKtime < idle.lastKtime) idle = chain;
    this.#stats.evicted++;
    return idle;
  }

  #open(host: Host, alert: Alert): Chain {
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
      absorbed: [],
      survivor: null,
      members: new Map(),
      touchedKtime: 0,
      triage: UNTOUCHED,
    };
    host.addChain(chain);
    return chain;
  }

  #add(host: Host, chain: Chain, alert: Alert, event: EventView, why: () => string): Pick<Joined, 'news' | 'send'> {
    host.counted.add(chain);
    chain.firstSeen = Math.min(chain.firstSeen, alert.timestamp);
    chain.lastSeen = Math.max(chain.lastSeen, alert.timestamp);
    chain.lastKtime = Math.max(chain.lastKtime, alert.ktime);
    this.#weigh(host, chain, alert);
    const entityId = alert.lineage[0]?.entityId ?? '';
    const same = chain.alerts.find((one) => one.rule === alert.rule && one.entityId === entityId);
    if (same !== undefined) {
      chain.stale = true;
      return { news: false, send: this.#repeat(same, alert) };
    }
    const staged = noteStages(chain, alert);
    const room = chain.alerts.length < this.#options.maxAlerts;
    if (room) chain.alerts.push(listed(alert, entityId, why(), deedOf(event)));
    else chain.omitted++;
    if (staged || room) host.changed.add(chain);
    else chain.stale = true;
    return { news: staged || room, send: true };
  }

  #repeat(same: ChainAlert, alert: Alert): boolean {
    const minute = minuteOf(alert.ktime);
    if (minute !== same.minute) Object.assign(same, { minute, sentInMinute: 0 });
    same.count++;
    same.lastTimestamp = Math.max(same.lastTimestamp, alert.timestamp);
    if (same.sentInMinute >= this.#options.repeatsPerMinute) {
      this.#stats.suppressed++;
      return false;
    }
    same.sentInMinute++;
    return true;
  }

  #tie(
    host: Host,
    chain: Chain,
    keys: readonly string[],
    processes: ReadonlyMap<string, ProcessInfo>,
    event: EventView,
  ): string[] {
    const fresh = keys.filter((key) => this.tieKey(host, chain, key));
    const actor = event.process;
    const shown = actor === undefined ? processes : new Map([[actor.entityId, actor], ...processes]);
    for (const [id, process] of shown) {
      const known = chain.processes.get(id);
      if (known === undefined ? !hasRoomFor(chain, id === actor?.entityId) : known.execId >= process.raw.execId)
        continue;
      chain.processes.set(id, chainProcess(event, process, shown, known));
      host.changed.add(chain);
    }
    return fresh;
  }

  #weigh(host: Host, chain: Chain, alert: Alert): void {
    const known = weightIn(chain, alert.rule);
    if (known !== undefined) {
      known.ktime = Math.max(known.ktime, alert.ktime);
      return;
    }
    if (Object.keys(chain.rules).length >= MAX_RULES) return;
    host.changed.add(chain);
    const weight = weightOf(alert.priority, this.#rarity.of(alert.rule), this.#rarity.trustIn(alert.rule));
    chain.rules = { ...chain.rules, [alert.rule]: { weight, ktime: alert.ktime } };
    this.#rarity.note(host, alert.rule);
  }

  /** The one opened first survives; it takes over all that the other had. `why`: in plain words. */
  absorb(host: Host, survivor: Chain, absorbed: Chain, why: string): Merge {
    host.removeChain(absorbed);
    host.changed.add(survivor);
    merge(survivor, absorbed, this.#options.maxAlerts, why);
    for (const key of absorbed.keys) this.tieKey(host, survivor, key);
    return { absorbed, survivor };
  }
}
