import { type Alert, encodeSigned, type Incident, type IncidentState, type SigningKey, TOPIC } from '@ringfence/wire';
import { encodeIncident, sharedChain } from '../incident/record.ts';
import { scoreOf, weighed } from '../incident/score.ts';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, refOf } from '../state/chain.ts';
import type { NewEdge, NewFeedback, NewJoin, Turn } from '../turn.ts';
import type { TraceSteps } from './trace.ts';

export interface PublisherDeps {
  readonly stats: DetectorStats;
  /** null: unsigned */
  readonly key: SigningKey | null;
  readonly tracing: TraceSteps;
  readonly incidentThreshold: number;
}

/** Encodes, signs and counts the records that a turn puts out. */
export class Publisher {
  readonly #deps: PublisherDeps;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
  }

  /** Whether each change of the chain is visible: on ringfence.incidents, or as part of another host's incident. */
  isShown({ published, survivor }: Chain): boolean {
    return published || survivor !== null;
  }

  isIncident(chain: Chain): boolean {
    return chain.published || scoreOf(chain) >= this.#deps.incidentThreshold;
  }

  /** Publishes a new version of the chain's incident, if it is one, or sends the chain to the host it is part of. */
  show(turn: Turn, chain: Chain): void {
    if (chain.survivor !== null) this.share(turn, chain);
    else if (this.isIncident(chain)) {
      this.publish(turn, chain, 'open');
      turn.host.counted.add(chain);
    }
  }

  publish(turn: Turn, chain: Chain, state: IncidentState, mergedInto = ''): void {
    const { host } = turn;
    const { stats, key, tracing } = this.#deps;
    const isFirst = !chain.published;
    if (isFirst) {
      host.changed.add(chain);
      stats.opened++;
    }
    chain.published = true;
    chain.version++;
    chain.stale = false;
    tracing.incident(chain, isFirst);
    const value = encodeIncident(chain, state, mergedInto, host.network.hostname, scoreOf(chain), key);
    write(turn, TOPIC.incidents, chain.id, value);
    stats.incidents++;
  }

  /** Publishes that the chain's incident is part of another one, if it was an incident. */
  merged(turn: Turn, chain: Chain, into: string): void {
    if (chain.published) this.publish(turn, chain, 'merged', into);
  }

  /** Publishes an incident whose chain is closed. */
  incident(turn: Turn, incident: Incident): void {
    this.#deps.stats.incidents++;
    write(turn, TOPIC.incidents, incident.id, encodeSigned('Incident', incident, this.#deps.key));
  }

  /** Sends the whole chain to the other host's chain that it is part of. */
  share(turn: Turn, chain: Chain): void {
    const { host } = turn;
    const { survivor } = chain;
    if (survivor === null) return;
    chain.version++;
    chain.stale = false;
    host.counted.add(chain);
    const { chainId, hostId, openedAt, cause } = survivor;
    const into = { chainId, hostId, openedAt };
    this.#deps.tracing.incident(chain, false);
    const whole = { chain: sharedChain(chain, host.network.hostname, scoreOf(chain)), rules: weighed(chain) };
    this.join(turn, { hostId, into, from: refOf(chain), ...whole, ...cause });
  }

  join(turn: Turn, join: NewJoin): void {
    this.#deps.stats.joinsSent++;
    write(turn, TOPIC.joins, join.hostId, encodeSigned('Join', join, this.#deps.key));
  }

  edge(turn: Turn, edge: NewEdge): void {
    this.#deps.stats.edges++;
    write(turn, TOPIC.edges, edge.edge, encodeSigned('Edge', edge, this.#deps.key));
  }

  /** Publishes an alert that has joined `chain`. */
  alert(turn: Turn, alert: Alert, { id, survivor }: Chain): void {
    this.#deps.stats.alerts++;
    const whole = { ...alert, incident: survivor?.chainId ?? id, hostname: turn.host.network.hostname };
    write(turn, TOPIC.alerts, alert.hostId, encodeSigned('Alert', whole, this.#deps.key));
  }

  feedback(turn: Turn, feedback: NewFeedback): void {
    write(turn, TOPIC.feedback, feedback.hostId, encodeSigned('Feedback', feedback, this.#deps.key));
  }
}

const write = ({ outputs }: Turn, topic: string, key: string, value: Buffer): void =>
  void outputs.push({ topic, key, value });
