import { type Edge, type EventView, KIND, nanosToMicros } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, MAX_ABOVE, MAX_EDGES } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import { type Accepted, type Acceptor, edgeOf, type Tie } from '../state/ties.ts';
import { climb, type IsAgent, isHub, isListener } from './hubs.ts';
import { connectionOf, loginOf, namesOf } from './ties.ts';

export type NewEdge = Omit<Edge, 'keyId' | 'signature'>;

/** A process that serves a connection is started within this long of it, µs. */
const STARTED_WITHIN_US = 5_000_000;
/** Times of two events of one host may be in the wrong order by this much, µs. */
const JITTER_US = 1000;
/** A process that serves its only connection itself: how long ago it may have accepted it, µs. */
const OWN_WITHIN_US = 60_000_000;
const MAX_ACCEPTS = 16;
const MAX_FORKS = 16;
const MAX_LINEAGE = 16;
const MAX_ANCESTORS = 32;
const MAX_SESSION_TIES = 8;
/** Connections of one process that count for its chain: more than a few are those of a server. */
const MAX_TIES = 8;
/** Of a process that raised an alert itself. */
const MAX_ACTOR_TIES = 32;
const KEY_SAID_AGAIN_US = 12 * 3_600_000_000;

/** Which ends of connections, and which keys, belong to a host's chains. What comes before its chain is remembered. */
export class EdgeStep {
  readonly #isAgent: IsAgent;
  readonly #stats: DetectorStats;
  readonly #tell: (edge: NewEdge) => void;

  constructor(isAgent: IsAgent, stats: DetectorStats, tell: (edge: NewEdge) => void) {
    this.#isAgent = isAgent;
    this.#stats = stats;
    this.#tell = tell;
  }

  note(host: Host, event: EventView): void {
    const { kind } = event.cursor;
    if (kind === KIND.Fork) this.#forked(host, event);
    else if (kind === KIND.Connect) this.#connected(host, event);
    else if (kind === KIND.Accept) this.#accepted(host, event);
    else if (kind === KIND.Log) this.#loggedIn(host, event);
    else if (kind === KIND.HostContext) host.setNames(namesOf(event));
  }

  /** After an alert became part of `chain`. `fresh`: what joins to it from now on. */
  alerted(host: Host, chain: Chain, event: EventView, fresh: readonly string[]): void {
    const { network } = host;
    const told = new Set<Tie>();
    for (const key of fresh) for (const { ties } of network.callersBelow(key)) for (const tie of ties) told.add(tie);
    let depth = 0;
    for (let one = event.process; one !== undefined && depth < MAX_ANCESTORS; one = one.parent, depth++) {
      noteAncestor(host, chain, one.entityId);
      for (const tie of network.sessions.get(one.entityId) ?? []) told.add(tie);
    }
    const own = event.process === undefined ? undefined : network.acceptors.get(event.process.entityId);
    const only = own === undefined ? undefined : onlyAccept(own, event.cursor.ktime);
    if (only !== undefined) told.add(only);
    for (const tie of told) this.#say(host, chain, tie);
  }

  #connected(host: Host, event: EventView): void {
    const { process } = event;
    const tie = process === undefined ? undefined : connectionOf(event);
    if (process === undefined || tie === undefined) return;
    const lineage = climb(event, process, this.#isAgent)
      .slice(0, MAX_LINEAGE)
      .map(({ entityId }) => entityId);
    if (lineage.length === 0) return;
    const chain = lineage.map((id) => host.byKey.get(id)).find((one) => one !== undefined);
    const acts = chain?.alerts.some(({ entityId }) => entityId === process.entityId) === true;
    const most = acts ? MAX_ACTOR_TIES : MAX_TIES;
    const ties = host.network.callers.get(process.entityId)?.ties ?? [];
    host.network.setCaller(process.entityId, { lineage, ties: [...ties, tie].slice(-most) });
    if (ties.length >= most) this.#stats.omittedEdges++;
    else if (chain !== undefined) this.#say(host, chain, tie);
  }

  #accepted(host: Host, event: EventView): void {
    const { process, cursor } = event;
    const tie = process === undefined ? undefined : connectionOf(event);
    if (process === undefined || tie === undefined) return;
    const { acceptors } = host.network;
    const known = acceptors.get(process.entityId) ?? { accepts: [], forks: [] };
    // A late one: what it was for has been started by now.
    const served = new Set(known.accepts.map(({ by }) => by));
    const since = cursor.ktime - JITTER_US;
    const forks = known.forks.filter(
      ({ entityId, start }) => !served.has(entityId) && start >= since && start <= since + STARTED_WITHIN_US,
    );
    const fork = isListener(process) || forks.length === 1 ? forks[0] : undefined;
    const accepted: Accepted = { tie, ktime: cursor.ktime, by: fork?.entityId ?? '' };
    acceptors.set(process.entityId, { ...known, accepts: [...known.accepts, accepted].slice(-MAX_ACCEPTS) });
    if (fork !== undefined) this.#begin(host, fork.entityId, [tie]);
  }

  #forked(host: Host, { process }: EventView): void {
    const parent = process?.parent;
    if (process === undefined || parent === undefined) return;
    const { acceptors } = host.network;
    const known = acceptors.size > 0 ? acceptors.get(parent.entityId) : undefined;
    if (known === undefined && !isListener(parent)) return;
    const start = nanosToMicros(process.raw.start);
    const { accepts = [], forks = [] } = known ?? {};
    const accepted = acceptedFor(accepts, start, isListener(parent));
    if (accepted === 'ambiguous') this.#stats.ambiguousAccepts++;
    const own = typeof accepted === 'object' ? accepted : undefined;
    const { entityId } = process;
    acceptors.set(parent.entityId, {
      accepts: accepts.map((one) => (one === own ? { ...one, by: entityId } : one)),
      forks: [...forks, { entityId, start }].slice(-MAX_FORKS),
    });
    // Nothing below it can have raised an alert yet.
    if (own !== undefined) host.network.sessions.set(entityId, [own.tie]);
  }

  #loggedIn(host: Host, event: EventView): void {
    const { network } = host;
    const login = loginOf(event, network.addresses);
    if (login === undefined) return;
    const { key, connections } = login;
    if (key !== undefined) this.#sight(host, key);
    const { process } = event;
    // Anyone can write a line that looks like sshd's: whose it is says the process that wrote it.
    if (process === undefined || !isListener(process) || !isHub(event, process, this.#isAgent)) return;
    const { entityId } = process;
    const seen = network.sessions.get(entityId)?.some(({ end }) => end === 'destination') === true;
    this.#begin(host, entityId, [...(key === undefined ? [] : [key]), ...(seen ? [] : connections)]);
  }

  /** Says that a key is used here, chain or not: what many hosts see ties none of them. */
  #sight(host: Host, tie: Tie): void {
    const { keys } = host.network;
    const last = keys.get(tie.detail);
    if (last !== undefined && Math.abs(tie.at - last) < KEY_SAID_AGAIN_US) return;
    keys.set(tie.detail, tie.at);
    const { kind, end, detail, at } = tie;
    this.#tell({ edge: edgeOf(tie), kind, end, detail, at, hostId: host.id, chainId: '', openedAt: 0, alertId: '' });
  }

  /** Everything below this process, which may be a chain by now, was caused by `ties`. */
  #begin(host: Host, entityId: string, ties: readonly Tie[]): void {
    if (ties.length === 0) return;
    const { sessions } = host.network;
    sessions.set(entityId, [...(sessions.get(entityId) ?? []), ...ties].slice(-MAX_SESSION_TIES));
    for (const chain of host.chains.values())
      if (chain.above.includes(entityId)) for (const tie of ties) this.#say(host, chain, tie);
  }

  #say(host: Host, chain: Chain, tie: Tie): void {
    const edge = edgeOf(tie);
    if (chain.edges.includes(edge)) return;
    if (chain.edges.length >= MAX_EDGES) {
      this.#stats.omittedEdges++;
      return;
    }
    chain.edges.push(edge);
    host.changed.add(chain);
    const { kind, end, detail, at } = tie;
    const alertId = chain.alerts.at(-1)?.id ?? '';
    this.#tell({ edge, kind, end, detail, at, hostId: host.id, chainId: chain.id, openedAt: chain.openedAt, alertId });
  }
}

function noteAncestor(host: Host, chain: Chain, entityId: string): void {
  if (chain.above.length >= MAX_ABOVE || chain.above.includes(entityId)) return;
  chain.above.push(entityId);
  host.changed.add(chain);
}

/** A listener starts one process for each connection, at once. Of others only what can be told apart counts. */
function acceptedFor(
  accepts: readonly Accepted[],
  start: number,
  listens: boolean,
): Accepted | 'ambiguous' | undefined {
  const waiting = accepts.filter(
    ({ by, ktime }) => by === '' && ktime <= start + JITTER_US && ktime >= start - STARTED_WITHIN_US,
  );
  if (waiting.length <= 1 || listens) return waiting.at(-1);
  return 'ambiguous';
}

/** What a process that serves its connection itself was reached by: it has but one. */
function onlyAccept({ accepts }: Acceptor, ktime: number): Tie | undefined {
  const lately = accepts.filter((one) => one.ktime <= ktime && one.ktime >= ktime - OWN_WITHIN_US);
  return lately.length === 1 ? lately[0]?.tie : undefined;
}
