import type { ChainRef, Join } from '@ringfence/wire';
import type { DetectorStats } from '../metrics.ts';
import { type Chain, type JoinWords, type Member, opensBefore, refOf, UNTOLD } from '../state/chain.ts';
import type { Host } from '../state/host.ts';

export type NewJoin = Omit<Join, 'keyId' | 'signature'>;

/** Chains of other hosts that one incident takes in. */
const MAX_MEMBERS = 64;
const MAX_ABSORBED = 64;

export interface JoinStepDeps {
  readonly stats: DetectorStats;
  readonly send: (join: NewJoin) => void;
  /** the chain has changed: it is to be published, or sent to its survivor */
  readonly touch: (chain: Chain) => void;
  /** Two chains of this host are one. */
  readonly unite: (host: Host, a: Chain, b: Chain, why: string) => void;
  /** The chain is part of another from now on, if it has been published. */
  readonly publishMerged: (chain: Chain, into: string) => void;
}

/**
 * Chains of several hosts that are one attack: each knows the one it is folded into, which opened before it, so there are no circles and the one opened first
 * gets all of them, whatever comes first. Nothing is folded into a chain that has not said that it is still there: a Join goes to the host of
 * `into`, which invites `from`; `from` then sends itself whole, now and with each change, and what it sends goes on until it is at the top.
 * Redelivery changes nothing: a Join says what is, not what to add.
 */
export class JoinStep {
  readonly #deps: JoinStepDeps;

  constructor(deps: JoinStepDeps) {
    this.#deps = deps;
  }

  /** `host`: whose chains it is about, `join.hostId`. */
  take(host: Host, join: Join): void {
    const { into, from, chain } = join;
    this.#deps.stats.joins++;
    if (chain !== null) this.#takeIn(host, { ...join, chain });
    else if (into.chainId === from.chainId) this.#standAlone(host, join);
    else if (host.id === into.hostId) this.#meet(host, into.chainId, from, join);
    else this.#meet(host, from.chainId, into, join);
  }

  /** `chain` was folded into `survivor`, both of this host. */
  absorbed(host: Host, survivor: Chain, chain: Chain): void {
    if (chain.edges.length === 0 && chain.survivor === null && chain.members.size === 0) return;
    host.forwards.set(chain.id, refOf(survivor));
    survivor.absorbed = [...survivor.absorbed, chain.id, ...chain.absorbed].slice(-MAX_ABSORBED);
    host.changed.add(survivor);
    for (const member of chain.members.values()) this.#keep(host, survivor, member);
    if (chain.survivor !== null) this.#unite(host, survivor, chain.survivor, chain.survivor.tie);
  }

  /** What becomes of Joins to a chain that was closed. */
  closed(host: Host, { id, survivor }: Chain): void {
    if (survivor !== null) host.forwards.set(id, plain(survivor));
  }

  /** The two are one attack. `ownId` is of this host. */
  #meet(host: Host, ownId: string, other: ChainRef, words: JoinWords): void {
    const own = host.find(ownId);
    if (own === undefined) this.#deps.stats.joinsToGone++;
    else if ('chainId' in own) this.#ask(own, other, words);
    else this.#unite(host, own, other, words);
  }

  #unite(host: Host, own: Chain, other: ChainRef, words: JoinWords): void {
    if (own.survivor !== null) this.#ask(own.survivor, other, words);
    else if (other.chainId === own.id || own.members.has(other.chainId)) return;
    else if (other.hostId === host.id) this.#uniteHere(host, own, other, words);
    else if (opensBefore(other, refOf(own))) this.#foldInto(host, own, other, words);
    else this.#send({ hostId: other.hostId, into: refOf(own), from: other, ...UNTOLD, ...wordsOf(words) });
  }

  /** Two chains of this host that meet by way of another host. */
  #uniteHere(host: Host, own: Chain, { chainId }: ChainRef, words: JoinWords): void {
    const other = host.find(chainId);
    if (other === undefined) this.#deps.stats.joinsToGone++;
    else if ('chainId' in other) this.#ask(other, refOf(own), words);
    else if (other.survivor !== null) this.#ask(other.survivor, refOf(own), words);
    else if (other === own) return;
    else this.#deps.unite(host, own, other, words.why);
  }

  /** Whoever opened first answers for itself. */
  #ask(a: ChainRef, b: ChainRef, words: JoinWords): void {
    if (a.chainId === b.chainId) return;
    const [into, from] = opensBefore(a, b) ? [a, b] : [b, a];
    this.#send({ hostId: into.hostId, into: plain(into), from: plain(from), ...UNTOLD, ...wordsOf(words) });
  }

  #foldInto(host: Host, chain: Chain, into: ChainRef, words: JoinWords): void {
    chain.survivor = { ...plain(into), tie: wordsOf(words) };
    host.changed.add(chain);
    this.#deps.publishMerged(chain, into.chainId);
    this.#deps.touch(chain);
    for (const member of chain.members.values()) {
      this.#passOn(member, into);
      host.changedMembers.add(`${chain.id}/${member.from.chainId}`);
    }
    chain.members.clear();
  }

  /** All of a chain of another host, to be part of one of ours. */
  #takeIn(host: Host, join: Member): void {
    const into = host.find(join.into.chainId);
    if (into === undefined) {
      this.#deps.stats.joinsToGone++;
      this.#refuse(join, 'the incident it was part of is closed');
    } else if ('chainId' in into) this.#passOn(join, into);
    else this.#keep(host, into, join);
  }

  #keep(host: Host, chain: Chain, join: Member): void {
    const { chainId, hostId } = join.from;
    if (chain.survivor !== null) {
      this.#passOn(join, chain.survivor);
      return;
    }
    const known = chain.members.get(chainId);
    if (known !== undefined && known.chain.version >= join.chain.version) return;
    // It has become part of another one by now, which brought it along.
    const stale = [...chain.members.values()].some(({ chain: { joined } }) => joined.some(({ id }) => id === chainId));
    if (stale || (hostId === host.id && host.find(chainId) === chain)) return;
    if (known === undefined && chain.members.size >= MAX_MEMBERS) {
      this.#deps.stats.omittedMembers++;
      this.#refuse(join, 'the incident it belongs to has no room for more');
      return;
    }
    chain.members.set(chainId, join);
    host.changedMembers.add(`${chain.id}/${chainId}`);
    for (const { id } of join.chain.joined) if (chain.members.delete(id)) host.changedMembers.add(`${chain.id}/${id}`);
    chain.touchedKtime = host.ktime;
    host.changed.add(chain);
    this.#deps.touch(chain);
  }

  /** It stands alone again: what it has to tell is told there. */
  #refuse({ from, edge, kind, at }: Member, why: string): void {
    this.#send({ hostId: from.hostId, into: from, from, ...UNTOLD, edge, kind, why, at });
  }

  #passOn(join: Member, into: ChainRef): void {
    this.#send({ ...join, hostId: into.hostId, into: plain(into) });
  }

  /** What it was part of is gone, or full. A later survivor is another matter. */
  #standAlone(host: Host, { into, edge }: Join): void {
    const chain = host.chains.get(into.chainId);
    if (chain === undefined || chain.survivor?.tie.edge !== edge) return;
    chain.survivor = null;
    host.changed.add(chain);
    this.#deps.touch(chain);
  }

  #send(join: NewJoin): void {
    this.#deps.stats.joinsSent++;
    this.#deps.send(join);
  }
}

const plain = ({ chainId, hostId, openedAt }: ChainRef): ChainRef => ({ chainId, hostId, openedAt });
const wordsOf = ({ edge, kind, why, at }: JoinWords): JoinWords => ({ edge, kind, why, at });
