import type { Feedback, Incident, StatusChange } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Rarity } from '../state/rarity.ts';
import { changedTriage } from '../state/triage.ts';
import { type Effects, NO_EFFECTS, type Turn } from '../turn.ts';

const DETECTOR = 'detector';

/** Applies decisions of people and of the responder: to the state of an incident, and to the weight of its rules. */
export class TakeFeedback {
  readonly #stats: DetectorStats;
  readonly #rarity: Rarity;

  constructor(stats: DetectorStats, rarity: Rarity) {
    this.#stats = stats;
    this.#rarity = rarity;
  }

  take({ host }: Turn, { subject, change, incident }: Feedback): Effects {
    this.#stats.feedback++;
    const found = host.find(subject) ?? host.withAlert(subject);
    const elsewhere = found === undefined ? undefined : 'chainId' in found ? found : found.survivor;
    if (elsewhere != null) {
      const { chainId, hostId } = elsewhere;
      return { feedback: [{ subject: chainId, hostId, change, incident: null }] };
    }
    if (found !== undefined) return this.#change(host, found as Chain, change);
    if (incident !== null && incident.state !== 'merged') return this.#changeClosed(host, incident, change);
    this.#stats.feedbackToGone++;
    return NO_EFFECTS;
  }

  /** Makes a closed incident new again, because a new alert shows that the attack continues. */
  reopen({ host }: Turn, chain: Chain, at: number): Effects {
    if (chain.triage.status !== 'closed') return NO_EFFECTS;
    const note = 'it went on after it was closed';
    return this.#change(host, chain, { status: 'new', verdict: 'undecided', by: DETECTOR, note, at });
  }

  #change(host: Host, chain: Chain, change: StatusChange): Effects {
    const before = chain.triage;
    const after = changedTriage(before, change);
    if (after === before) return NO_EFFECTS;
    chain.triage = after;
    this.#rarity.judge(host, rulesOf(chain), before.verdict, after.verdict);
    host.changed.add(chain);
    return { touched: [chain] };
  }

  /** The feedback carries the incident: the detector remembers only the version and triage of a closed chain. */
  #changeClosed(host: Host, incident: Incident, change: StatusChange): Effects {
    const { status, verdict, history, version } = incident;
    const known = host.settled.get(incident.id);
    const before = known?.triage ?? { status, verdict, history };
    const after = changedTriage(before, change);
    if (after === before) return NO_EFFECTS;
    const next = Math.max(version, known?.version ?? 0) + 1;
    host.settled.set(incident.id, { version: next, triage: after });
    const rules = incident.alerts.map(({ rule }) => rule);
    this.#rarity.judge(host, rules, before.verdict, after.verdict);
    return { incidents: [{ ...incident, ...after, version: next }] };
  }
}

/** Returns the rules of the chain and of its members on other hosts. */
function rulesOf({ rules, members }: Chain): string[] {
  const ofMembers = [...members.values()].flatMap(({ chain }) => chain.alerts.map(({ rule }) => rule));
  return [...Object.keys(rules), ...ofMembers];
}
