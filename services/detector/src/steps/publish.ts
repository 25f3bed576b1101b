import type { OutRecord } from '@ringfence/bus';
import { type Alert, encodeSigned, type Incident, type IncidentState, type SigningKey, TOPIC } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, refOf } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { NewEdge } from './edges.ts';
import type { Names } from './fold.ts';
import { encodeIncident, shared } from './incident.ts';
import type { NewJoin } from './joins.ts';
import { scoreOf, weighed } from './score.ts';
import type { TraceSteps } from './trace.ts';
import type { NewFeedback } from './triage.ts';

export interface PublishDeps {
  readonly stats: DetectorStats;
  /** null: unsigned */
  readonly key: SigningKey | null;
  readonly tracing: TraceSteps;
  readonly incidentThreshold: number;
  readonly write: (record: OutRecord) => void;
}

/** What the detector writes, signed and counted. */
export class PublishStep {
  readonly #deps: PublishDeps;

  constructor(deps: PublishDeps) {
    this.#deps = deps;
  }

  /** Somebody sees its changes: on ringfence.incidents, or as part of another. */
  isShown({ published, survivor }: Chain): boolean {
    return published || survivor !== null;
  }

  /** A new version of the chain's incident, if it is one; or the chain whole for the incident of another host that it is part of. */
  show(host: Host, chain: Chain): void {
    if (chain.survivor !== null) this.share(host, chain);
    else if (this.isIncident(chain)) {
      this.publish(host, chain, 'open');
      host.counted.add(chain);
    }
  }

  isIncident(chain: Chain): boolean {
    return chain.published || scoreOf(chain) >= this.#deps.incidentThreshold;
  }

  publish(host: Host, chain: Chain, state: IncidentState, mergedInto = ''): void {
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
    const value = encodeIncident(chain, state, mergedInto, namesOf(host), scoreOf(chain), key);
    this.#deps.write({ topic: TOPIC.incidents, key: chain.id, value });
    stats.incidents++;
  }

  merged(host: Host, chain: Chain, into: string): void {
    if (chain.published) this.publish(host, chain, 'merged', into);
  }

  /** An incident whose chain is closed, as it is now. */
  incident(incident: Incident): void {
    this.#deps.stats.incidents++;
    this.#write(TOPIC.incidents, incident.id, encodeSigned('Incident', incident, this.#deps.key));
  }

  /** To the incident of another host that it is part of. */
  share(host: Host, chain: Chain): void {
    const { survivor } = chain;
    if (survivor === null) return;
    chain.version++;
    chain.stale = false;
    host.counted.add(chain);
    const { chainId, hostId, openedAt, tie } = survivor;
    const into = { chainId, hostId, openedAt };
    this.#deps.stats.joinsSent++;
    this.#deps.tracing.incident(chain, false);
    const whole = { chain: shared(chain, namesOf(host), scoreOf(chain)), rules: weighed(chain) };
    this.join({ hostId, into, from: refOf(chain), ...whole, ...tie });
  }

  join(join: NewJoin): void {
    this.#write(TOPIC.joins, join.hostId, encodeSigned('Join', join, this.#deps.key));
  }

  edge(edge: NewEdge): void {
    this.#deps.stats.edges++;
    this.#write(TOPIC.edges, edge.edge, encodeSigned('Edge', edge, this.#deps.key));
  }

  alert(alert: Alert): void {
    this.#deps.stats.alerts++;
    this.#write(TOPIC.alerts, alert.hostId, encodeSigned('Alert', alert, this.#deps.key));
  }

  feedback(feedback: NewFeedback): void {
    this.#write(TOPIC.feedback, feedback.hostId, encodeSigned('Feedback', feedback, this.#deps.key));
  }

  #write(topic: string, key: string, value: Buffer): void {
    this.#deps.write({ topic, key, value });
  }
}

const namesOf = ({ id, network: { hostname } }: Host): Names => ({ id, hostname });
