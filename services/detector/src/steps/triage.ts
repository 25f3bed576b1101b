import type { Feedback, Incident, StatusChange } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';
import type { Chain, Triage } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Rarity } from '../state/rarity.ts';

export type NewFeedback = Omit<Feedback, 'keyId' | 'signature'>;

const MAX_HISTORY = 32;
/** Who says that something was done, in `by`. */
const RESPONDER = 'responder';
const DETECTOR = 'detector';

export interface TriageDeps {
  readonly stats: DetectorStats;
  readonly rarity: Rarity;
  /** the chain is to be published, when it is an incident */
  readonly touch: (chain: Chain) => void;
  /** an incident whose chain is no more, in its new version */
  readonly publish: (incident: Incident) => void;
  /** to the host of the incident that the chain is part of */
  readonly forward: (feedback: NewFeedback) => void;
}

/** What people and the responder say of incidents: new → triaged → contained → closed, and what rules are worth from then on. */
export class TriageStep {
  readonly #deps: TriageDeps;

  constructor(deps: TriageDeps) {
    this.#deps = deps;
  }

  take(host: Host, feedback: Feedback): void {
    const { subject, change, incident } = feedback;
    const found = host.find(subject) ?? host.withAlert(subject);
    const elsewhere = found === undefined ? undefined : 'chainId' in found ? found : found.survivor;
    if (elsewhere != null) {
      const { chainId, hostId } = elsewhere;
      this.#deps.forward({ subject: chainId, hostId, change, incident: null });
    } else if (found !== undefined) this.#change(host, found as Chain, change);
    else if (incident !== null && incident.state !== 'merged') this.#changeClosed(host, incident, change);
    else this.#deps.stats.feedbackToGone++;
  }

  /** An attack that goes on after somebody has closed it is news. */
  wentOn(host: Host, chain: Chain, at: number): void {
    if (chain.triage.status !== 'closed') return;
    const note = 'it went on after it was closed';
    this.#change(host, chain, { status: 'new', verdict: 'undecided', by: DETECTOR, note, at });
  }

  #change(host: Host, chain: Chain, change: StatusChange): void {
    const before = chain.triage;
    const after = changed(before, change);
    if (after === before) return;
    chain.triage = after;
    this.#deps.rarity.judge(host, rulesOf(chain), before.verdict, after.verdict);
    host.changed.add(chain);
    this.#deps.touch(chain);
  }

  /** It says itself what it was: nothing of it is in memory but what was said of it lately. */
  #changeClosed(host: Host, incident: Incident, change: StatusChange): void {
    const { status, verdict, history, version } = incident;
    const known = host.settled.get(incident.id);
    const before = known?.triage ?? { status, verdict, history };
    const after = changed(before, change);
    if (after === before) return;
    const next = Math.max(version, known?.version ?? 0) + 1;
    host.settled.set(incident.id, { version: next, triage: after });
    const rules = incident.alerts.map(({ rule }) => rule);
    this.#deps.rarity.judge(host, rules, before.verdict, after.verdict);
    this.#deps.publish({ ...incident, ...after, version: next });
  }
}

/** Of its members on other hosts, too. */
function rulesOf({ rules, members }: Chain): string[] {
  const others = [...members.values()].flatMap(({ chain }) => chain.alerts.map(({ rule }) => rule));
  return [...Object.keys(rules), ...others];
}

/** The same object: it was said before, or the responder has nothing new to say. */
function changed(before: Triage, change: StatusChange): Triage {
  const { status, verdict, by, at } = change;
  if (by === RESPONDER && (before.status === 'contained' || before.status === 'closed')) return before;
  if (before.history.some((one) => one.at === at && one.by === by && one.status === status)) return before;
  return { status, verdict, history: [...before.history, change].slice(-MAX_HISTORY) };
}

/** Of two chains that are one: as far as the one has come that somebody has looked at; the attack is not over when half of it is. */
export function bothOf(survivor: Triage, absorbed: Triage): Triage {
  if (absorbed.history.length === 0) return survivor;
  const history = [...survivor.history, ...absorbed.history].sort((a, b) => a.at - b.at).slice(-MAX_HISTORY);
  const { status, verdict } = survivor.history.length === 0 && absorbed.status !== 'closed' ? absorbed : survivor;
  return { status, verdict, history };
}

/** At the end of a chain: what was said of it goes on, for whoever comes later. */
export function settle(host: Host, { id, version, triage }: Chain): void {
  if (version > 0 || triage.history.length > 0) host.settled.set(id, { version, triage });
}
