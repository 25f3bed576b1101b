import type { ChainRef, IncidentReason, Join } from '@ringfence/wire';
import type { Chains } from '../graph/chains.ts';
import { sharedEdgeReason } from '../incident/reasons.ts';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, type JoinCause, type Member, opensBefore, refOf, WITHOUT_CHAIN } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import { allEffects, type Effects, type Merge, type Move, type NewJoin, NO_EFFECTS, type Turn } from '../turn.ts';

/** Chains of other hosts in one incident */
const MAX_MEMBERS = 64;
const MAX_ABSORBED = 64;

/**
 * Carries out joins: chains of several hosts become one incident. A chain becomes part only of a chain that opened
 * before it, so there are no circles, and the chain that opened first gets all others in any order of joins. A Join
 * goes to the host of `into` first, which invites `from`. Then `from` sends its whole chain, now and with each change.
 * Redelivery changes nothing: a Join carries the state of a chain, not a difference.
 */
export class TakeJoin {
  readonly #stats: DetectorStats;
  readonly #chains: Chains;

  constructor(stats: DetectorStats, chains: Chains) {
    this.#stats = stats;
    this.#chains = chains;
  }

  take({ host }: Turn, join: Join): Effects {
    const { into, from, chain } = join;
    this.#stats.joins++;
    if (chain !== null) return this.#takeMember(host, { ...join, chain });
    if (into.chainId === from.chainId) return standAlone(host, join);
    if (host.id === into.hostId) return this.#meet(host, into.chainId, from, join);
    return this.#meet(host, from.chainId, into, join);
  }

  /** After a merge the survivor has the members of the other chain, and is joined with the same chains. */
  carryOver({ host }: Turn, { survivor, absorbed }: Merge): Effects {
    if (absorbed.edges.length === 0 && absorbed.survivor === null && absorbed.members.size === 0) return NO_EFFECTS;
    host.forwards.set(absorbed.id, refOf(survivor));
    survivor.mergedIds = [...survivor.mergedIds, absorbed.id, ...absorbed.mergedIds].slice(-MAX_ABSORBED);
    host.changed.add(survivor);
    const kept = [...absorbed.members.values()].map((member) => this.#keepMember(host, survivor, member));
    if (absorbed.survivor === null) return allEffects(kept);
    return allEffects([...kept, this.#join(host, survivor, absorbed.survivor, absorbed.survivor.cause)]);
  }

  /** A chain that became part of another host's chain sends its members there. */
  handOver({ host }: Turn, { chain, into }: Move): Effects {
    const joins = [...chain.members.values()].map((member) => passOn(member, into));
    for (const { from } of chain.members.values()) host.changedMembers.add(`${chain.id}/${from.chainId}`);
    chain.members.clear();
    return { joins };
  }

  /** A chain of this host is joined with another one. */
  #meet(host: Host, chainId: string, peer: ChainRef, cause: JoinCause): Effects {
    const chain = host.find(chainId);
    if (chain === undefined) return this.#toGone();
    if ('chainId' in chain) return ask(chain, peer, cause);
    return this.#join(host, chain, peer, cause);
  }

  #join(host: Host, chain: Chain, peer: ChainRef, cause: JoinCause): Effects {
    if (chain.survivor !== null) return ask(chain.survivor, peer, cause);
    if (peer.chainId === chain.id || chain.members.has(peer.chainId)) return NO_EFFECTS;
    if (peer.hostId === host.id) return this.#mergeHere(host, chain, peer, cause);
    if (opensBefore(peer, refOf(chain))) return becomeMember(host, chain, peer, cause);
    return { joins: [{ hostId: peer.hostId, into: refOf(chain), from: peer, ...WITHOUT_CHAIN, ...causeOf(cause) }] };
  }

  /** Two chains of this host are joined by way of another host. */
  #mergeHere(host: Host, chain: Chain, { chainId }: ChainRef, cause: JoinCause): Effects {
    const peer = host.find(chainId);
    if (peer === undefined) return this.#toGone();
    if ('chainId' in peer) return ask(peer, refOf(chain), cause);
    if (peer.survivor !== null) return ask(peer.survivor, refOf(chain), cause);
    return peer === chain ? NO_EFFECTS : { merges: [this.#chains.merge(host, chain, peer, reasonOf(cause))] };
  }

  /** A whole chain of another host becomes part of one of this host. */
  #takeMember(host: Host, member: Member): Effects {
    const into = host.find(member.into.chainId);
    if (into === undefined) {
      this.#stats.joinsToGone++;
      return { joins: [refusal(member)] };
    }
    return 'chainId' in into ? { joins: [passOn(member, into)] } : this.#keepMember(host, into, member);
  }

  #keepMember(host: Host, chain: Chain, member: Member): Effects {
    const { chainId, hostId } = member.from;
    if (chain.survivor !== null) return { joins: [passOn(member, chain.survivor)] };
    const known = chain.members.get(chainId);
    if (known !== undefined && known.chain.version >= member.chain.version) return NO_EFFECTS;
    // A member that has been merged is part of the chain that it was merged into.
    const isStale = [...chain.members.values()].some(({ chain: { joined } }) =>
      joined.some(({ id }) => id === chainId),
    );
    if (isStale || (hostId === host.id && host.find(chainId) === chain)) return NO_EFFECTS;
    if (known === undefined && chain.members.size >= MAX_MEMBERS) {
      this.#stats.omittedMembers++;
      return { joins: [refusal(member)] };
    }
    chain.members.set(chainId, member);
    host.changedMembers.add(`${chain.id}/${chainId}`);
    for (const { id } of member.chain.joined)
      if (chain.members.delete(id)) host.changedMembers.add(`${chain.id}/${id}`);
    chain.touchedKtime = host.ktime;
    host.changed.add(chain);
    return { touched: [chain] };
  }

  #toGone(): Effects {
    this.#stats.joinsToGone++;
    return NO_EFFECTS;
  }
}

/** The chain is part of another one from now on, and is sent there with each change. */
function becomeMember(host: Host, chain: Chain, into: ChainRef, cause: JoinCause): Effects {
  chain.survivor = { ...plain(into), cause: causeOf(cause) };
  host.changed.add(chain);
  return { moves: [{ chain, into }], touched: [chain] };
}

/** Asks the host of the chain that opened first to join the two. */
function ask(a: ChainRef, b: ChainRef, cause: JoinCause): Effects {
  if (a.chainId === b.chainId) return NO_EFFECTS;
  const [into, from] = opensBefore(a, b) ? [a, b] : [b, a];
  return {
    joins: [{ hostId: into.hostId, into: plain(into), from: plain(from), ...WITHOUT_CHAIN, ...causeOf(cause) }],
  };
}

/** The incident that the chain was part of is closed, or full. If the chain has another survivor by now, it stays. */
function standAlone(host: Host, { into, edge }: Join): Effects {
  const chain = host.chains.get(into.chainId);
  if (chain === undefined || chain.survivor?.cause.edge !== edge) return NO_EFFECTS;
  chain.survivor = null;
  host.changed.add(chain);
  return { touched: [chain] };
}

/** `from` stands alone again, and is published as a separate incident. */
const refusal = ({ from, edge, kind, at }: Member): NewJoin => ({
  ...{ hostId: from.hostId, into: from, from, ...WITHOUT_CHAIN },
  ...{ edge, kind, why: '', at, reason: null },
});

const passOn = (member: Member, into: ChainRef): NewJoin => ({ ...member, hostId: into.hostId, into: plain(into) });
const plain = ({ chainId, hostId, openedAt }: ChainRef): ChainRef => ({ chainId, hostId, openedAt });
const causeOf = ({ edge, kind, why, at, reason }: JoinCause): JoinCause => ({ edge, kind, why, at, reason });
/** A Join of 0.1.0 has no reason as data: the edge's id stands for it. */
const reasonOf = ({ reason, kind, edge }: JoinCause): IncidentReason =>
  reason ?? sharedEdgeReason({ kind, detail: edge });
