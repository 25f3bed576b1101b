import { type EventView, KIND, nanosToMicros } from '@ringfence/wire';
import { acceptedFor, JITTER_US, onlyAccept, STARTED_WITHIN_US } from '../fleet/accepts.ts';
import { connectionOf, loginOf, namesOf } from '../fleet/edge-ends.ts';
import type { HandledEvent } from '../graph/handled-event.ts';
import { ancestorsOf, isListener } from '../graph/hubs.ts';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, MAX_ABOVE, MAX_EDGES } from '../state/chain.ts';
import { type Accepted, type EdgeEnd, edgeId } from '../state/edge-ends.ts';
import type { Host } from '../state/host.ts';
import { type Effects, type NewEdge, NO_EFFECTS, type Turn } from '../turn.ts';

const MAX_ACCEPTS = 16;
const MAX_FORKS = 16;
const MAX_LINEAGE = 16;
const MAX_SESSION_ENDS = 8;
/** Connections of one process that count for its chain: a process with more is a server. */
const MAX_ENDS = 8;
/** Connections of a process that raised an alert itself. */
const MAX_ACTOR_ENDS = 32;
const KEY_REPUBLISH_US = 12 * 3_600_000_000;

/**
 * Finds the ends of connections and the keys that belong to the host's chains. An end from before its chain is
 * remembered, and becomes an edge with an alert.
 */
export class NoteEdges {
  readonly #stats: DetectorStats;

  constructor(stats: DetectorStats) {
    this.#stats = stats;
  }

  note({ host }: Turn, event: HandledEvent): Effects {
    const { view } = event;
    const { kind } = view.cursor;
    if (kind === KIND.Connect) return this.#noteConnect(host, event);
    if (kind === KIND.Accept) return this.#noteAccept(host, view);
    if (kind === KIND.Log) return this.#noteLogin(host, event);
    if (kind === KIND.Fork) this.#noteFork(host, view);
    else if (kind === KIND.HostContext) host.setNames(namesOf(view));
    return NO_EFFECTS;
  }

  /** Returns the edges of a chain that has a new alert. `newKeys`: the keys that link to the chain since this alert. */
  noteAlert({ host }: Turn, chain: Chain, { view }: HandledEvent, newKeys: readonly string[]): Effects {
    const { network } = host;
    const ends = new Set<EdgeEnd>();
    for (const key of newKeys)
      for (const caller of network.callersBelow(key)) for (const end of caller.ends) ends.add(end);
    for (const { entityId } of ancestorsOf(view)) {
      noteAncestor(host, chain, entityId);
      for (const end of network.sessions.get(entityId) ?? []) ends.add(end);
    }
    const acceptor = view.process === undefined ? undefined : network.acceptors.get(view.process.entityId);
    const accepted = acceptor === undefined ? undefined : onlyAccept(acceptor, view.cursor.ktime);
    if (accepted !== undefined) ends.add(accepted);
    return { edges: [...ends].flatMap((end) => this.#edgeOf(host, chain, end)) };
  }

  #noteConnect(host: Host, event: HandledEvent): Effects {
    const { process } = event.view;
    const end = process === undefined ? undefined : connectionOf(event.view);
    if (process === undefined || end === undefined) return NO_EFFECTS;
    const lineage = event.lineage.slice(0, MAX_LINEAGE).map(({ entityId }) => entityId);
    if (lineage.length === 0) return NO_EFFECTS;
    const chain = lineage.map((id) => host.byKey.get(id)).find((candidate) => candidate !== undefined);
    const isActor = chain?.alerts.some(({ entityId }) => entityId === process.entityId) === true;
    const maxEnds = isActor ? MAX_ACTOR_ENDS : MAX_ENDS;
    const known = host.network.callers.get(process.entityId)?.ends ?? [];
    host.network.setCaller(process.entityId, { lineage, ends: [...known, end].slice(-maxEnds) });
    if (known.length >= maxEnds) this.#stats.omittedEdges++;
    else if (chain !== undefined) return { edges: this.#edgeOf(host, chain, end) };
    return NO_EFFECTS;
  }

  #noteAccept(host: Host, view: EventView): Effects {
    const { process, cursor } = view;
    const end = process === undefined ? undefined : connectionOf(view);
    if (process === undefined || end === undefined) return NO_EFFECTS;
    const { acceptors } = host.network;
    const known = acceptors.get(process.entityId) ?? { accepts: [], forks: [] };
    // The accept may arrive late, after the fork of the process that serves it.
    const serving = new Set(known.accepts.map(({ by }) => by));
    const since = cursor.ktime - JITTER_US;
    const forks = known.forks.filter(
      ({ entityId, start }) => !serving.has(entityId) && start >= since && start <= since + STARTED_WITHIN_US,
    );
    const fork = isListener(process) || forks.length === 1 ? forks[0] : undefined;
    const accepted: Accepted = { end, ktime: cursor.ktime, by: fork?.entityId ?? '' };
    acceptors.set(process.entityId, { ...known, accepts: [...known.accepts, accepted].slice(-MAX_ACCEPTS) });
    return fork === undefined ? NO_EFFECTS : { edges: this.#beginSession(host, fork.entityId, [end]) };
  }

  #noteFork(host: Host, { process }: EventView): void {
    const parent = process?.parent;
    if (process === undefined || parent === undefined) return;
    const { acceptors } = host.network;
    const known = acceptors.size > 0 ? acceptors.get(parent.entityId) : undefined;
    if (known === undefined && !isListener(parent)) return;
    const start = nanosToMicros(process.raw.start);
    const { accepts = [], forks = [] } = known ?? {};
    const found = acceptedFor(accepts, start, isListener(parent));
    if (found === 'ambiguous') this.#stats.ambiguousAccepts++;
    const served = typeof found === 'object' ? found : undefined;
    const { entityId } = process;
    acceptors.set(parent.entityId, {
      accepts: accepts.map((accept) => (accept === served ? { ...accept, by: entityId } : accept)),
      forks: [...forks, { entityId, start }].slice(-MAX_FORKS),
    });
    // The process has just begun, so no process below it can have raised an alert yet.
    if (served !== undefined) host.network.sessions.set(entityId, [served.end]);
  }

  #noteLogin(host: Host, event: HandledEvent): Effects {
    const { network } = host;
    const login = loginOf(event.view, network.addresses);
    if (login === undefined) return NO_EFFECTS;
    const { key, connections } = login;
    const used = key === undefined ? [] : this.#publishKey(host, key);
    const { process } = event.view;
    // Any process can write a line that looks like sshd's, so the process that wrote it must be sshd.
    if (process === undefined || !isListener(process) || !event.isHub(process)) return { edges: used };
    const { entityId } = process;
    const isSeen = network.sessions.get(entityId)?.some(({ side }) => side === 'destination') === true;
    const ends = [...(key === undefined ? [] : [key]), ...(isSeen ? [] : connections)];
    return { edges: [...used, ...this.#beginSession(host, entityId, ends)] };
  }

  /** Publishes that a key is used here, with a chain or without: a key that many hosts use joins none of them. */
  #publishKey(host: Host, key: EdgeEnd): NewEdge[] {
    const { keys } = host.network;
    const last = keys.get(key.detail);
    if (last !== undefined && Math.abs(key.at - last) < KEY_REPUBLISH_US) return [];
    keys.set(key.detail, key.at);
    return [{ ...publicPart(key), hostId: host.id, chainId: '', openedAt: 0, alertId: '' }];
  }

  /** `ends` caused everything that happens below this process, which may belong to a chain by now. */
  #beginSession(host: Host, entityId: string, ends: readonly EdgeEnd[]): NewEdge[] {
    if (ends.length === 0) return [];
    const { sessions } = host.network;
    sessions.set(entityId, [...(sessions.get(entityId) ?? []), ...ends].slice(-MAX_SESSION_ENDS));
    const chains = [...host.chains.values()].filter(({ above }) => above.includes(entityId));
    return chains.flatMap((chain) => ends.flatMap((end) => this.#edgeOf(host, chain, end)));
  }

  /** Returns the chain's edge, unless the chain has it already or has no room for it. */
  #edgeOf(host: Host, chain: Chain, end: EdgeEnd): NewEdge[] {
    const edge = edgeId(end);
    if (chain.edges.includes(edge)) return [];
    if (chain.edges.length >= MAX_EDGES) {
      this.#stats.omittedEdges++;
      return [];
    }
    chain.edges.push(edge);
    host.changed.add(chain);
    const alertId = chain.alerts.at(-1)?.id ?? '';
    return [{ ...publicPart(end), hostId: host.id, chainId: chain.id, openedAt: chain.openedAt, alertId }];
  }
}

function publicPart(end: EdgeEnd): Pick<NewEdge, 'edge' | 'kind' | 'end' | 'detail' | 'at'> {
  const { kind, side, detail, at } = end;
  return { edge: edgeId(end), kind, end: side === 'none' ? '' : side, detail, at };
}

function noteAncestor(host: Host, chain: Chain, entityId: string): void {
  if (chain.above.length >= MAX_ABOVE || chain.above.includes(entityId)) return;
  chain.above.push(entityId);
  host.changed.add(chain);
}
