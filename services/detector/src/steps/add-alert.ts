import { type Alert, type EventView, type IncidentReason, type ProcessInfo, processLeaf } from '@ringfence/wire';
import type { CompiledDetectorOptions } from '../config.ts';
import { chainProcess, listed, minuteOf, noteStages, weightIn } from '../graph/chain-entries.ts';
import type { Chains } from '../graph/chains.ts';
import type { HandledEvent } from '../graph/handled-event.ts';
import { chainsSharing, connectedChains, sharedKeys } from '../graph/links.ts';
import { type ChainLink, isOwnFile, loneKey, processLinks } from '../graph/process-links.ts';
import { OPENED } from '../incident/reasons.ts';
import { weightOf } from '../incident/score.ts';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, type ChainAlert, hasRoomFor, MAX_RULES, opensBefore, refOf } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Rarity } from '../state/rarity.ts';
import type { Merge, Turn } from '../turn.ts';

export interface AddedAlert {
  readonly chain: Chain;
  /** Chains that the alert merged */
  readonly merges: readonly Merge[];
  /** false: the rule raised so many alerts about the process in this minute that this one is only counted */
  readonly send: boolean;
  /** false: a repetition, which changes only counts */
  readonly isNews: boolean;
  /** Keys that link to the chain since this alert */
  readonly newKeys: readonly string[];
}

export interface AddAlertDeps {
  readonly options: CompiledDetectorOptions;
  readonly stats: DetectorStats;
  readonly chains: Chains;
  readonly rarity: Rarity;
}

/** Adds an alert to the chain that a link leads to, or to a new chain. An alert that links several merges them. */
export class AddAlert {
  readonly #options: CompiledDetectorOptions;
  readonly #stats: DetectorStats;
  readonly #chains: Chains;
  readonly #rarity: Rarity;

  constructor({ options, stats, chains, rarity }: AddAlertDeps) {
    this.#options = options;
    this.#stats = stats;
    this.#chains = chains;
    this.#rarity = rarity;
  }

  /** `event`: the event that completed the alert. */
  add({ host }: Turn, alert: Alert, event: HandledEvent): AddedAlert {
    const withinUs = this.#options.chainIdleMs * 1000;
    const { lineage } = event;
    const keys = lineage.length > 0 ? lineage.map(({ entityId }) => entityId) : [loneKey(alert)];
    const shared = sharedKeys(host, event);
    const links = onceEach([
      ...processLinks(host, keys, event, withinUs),
      ...chainsSharing(host, shared),
      ...connectedChains(host, event, withinUs),
    ]);
    const { chain, merges, reason } = this.#findChain(host, alert, links);
    const { isNews, send } = this.#list(host, chain, alert, event.view, reason);
    // The writer of the file belongs to the chain as well, and so do its later actions. The parent of the writer,
    // perhaps a session's shell, does many unrelated things.
    const writer = isOwnFile(event.view, withinUs) ? event.writerLineage.slice(0, 1) : [];
    const processes = new Map([...lineage, ...writer].map((process) => [process.entityId, process]));
    const owned = shared.filter((key) => key.owned !== false).map(({ key }) => key);
    const newKeys = [...keys, ...writer.map(({ entityId }) => entityId), ...owned].filter((key) =>
      this.#chains.linkKey(host, chain, key),
    );
    addProcesses(host, chain, processes, event.view);
    return { chain, merges, send, isNews, newKeys };
  }

  /** Merges the chains that the links lead to into the one that opened first. Without a link, opens a new chain. */
  #findChain(
    host: Host,
    alert: Alert,
    links: readonly ChainLink[],
  ): Pick<AddedAlert, 'chain' | 'merges'> & { readonly reason: () => IncidentReason } {
    const [nearest, ...more] = links;
    if (nearest === undefined) return { chain: this.#chains.open(host, alert), merges: [], reason: () => OPENED };
    if (more.length === 0) return { chain: nearest.chain, merges: [], reason: nearest.reason };
    const { chain } = links.reduce((first, link) =>
      opensBefore(refOf(link.chain), refOf(first.chain)) ? link : first,
    );
    // The reasons are taken from the chains as they are before merging.
    const reasons = links.map((link) => link.reason());
    const merges = links.flatMap((link, at): Merge[] => {
      if (link.chain === chain) return [];
      // The alert shows the reason of its nearest link. If the nearest chain is absorbed, its merge shows the reason of
      // the survivor's link.
      const shown = at === 0 ? links.findIndex((candidate) => candidate.chain === chain) : at;
      return [this.#chains.merge(host, chain, link.chain, { ...(reasons[shown] ?? OPENED), mergedBy: alert.rule })];
    });
    return { chain, merges, reason: () => reasons[0] ?? OPENED };
  }

  /** Lists the alert in the chain, or counts it as a repetition. */
  #list(
    host: Host,
    chain: Chain,
    alert: Alert,
    event: EventView,
    reason: () => IncidentReason,
  ): Pick<AddedAlert, 'isNews' | 'send'> {
    host.counted.add(chain);
    chain.firstSeen = Math.min(chain.firstSeen, alert.timestamp);
    chain.lastSeen = Math.max(chain.lastSeen, alert.timestamp);
    chain.lastKtime = Math.max(chain.lastKtime, alert.ktime);
    this.#weigh(host, chain, alert);
    const entityId = alert.lineage[0]?.entityId ?? '';
    const same = chain.alerts.find((known) => known.rule === alert.rule && known.entityId === entityId);
    if (same !== undefined) {
      chain.stale = true;
      return { isNews: false, send: this.#repeat(same, alert) };
    }
    const isNewStage = noteStages(chain, alert);
    const hasRoom = chain.alerts.length < this.#options.maxAlerts;
    if (hasRoom) chain.alerts.push(listed(alert, entityId, event, reason()));
    else chain.omitted++;
    if (isNewStage || hasRoom) host.changed.add(chain);
    else chain.stale = true;
    return { isNews: isNewStage || hasRoom, send: true };
  }

  /** Returns whether the repetition is still sent as an alert. */
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

  /** Adds the rule's weight to the chain's score, once for each rule. */
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
}

/** Keeps the first link to each chain. */
const onceEach = (links: readonly ChainLink[]): ChainLink[] =>
  links.filter(({ chain }, at) => links.findIndex((link) => link.chain === chain) === at);

/** Adds processes that are new in the chain, or have executed another program since. */
function addProcesses(host: Host, chain: Chain, linked: ReadonlyMap<string, ProcessInfo>, event: EventView): void {
  const actor = event.process;
  const processes = actor === undefined ? linked : new Map([[actor.entityId, actor], ...linked]);
  for (const [id, process] of processes) {
    const known = chain.processes.get(id);
    if (
      known === undefined
        ? !hasRoomFor(chain, id === actor?.entityId)
        : known.execId >= process.long(processLeaf.execId)
    )
      continue;
    chain.processes.set(id, chainProcess(event, process, processes, known));
    host.changed.add(chain);
  }
}
