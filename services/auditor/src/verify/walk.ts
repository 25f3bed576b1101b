import type { ChainHead } from '../sink.ts';
import type { NotedHead, Tampering, Verification } from './verification.ts';

export type ChainName = Pick<ChainHead, 'topic' | 'partition' | 'kind'>;

export interface WalkedChain extends ChainName {
  /** the last record that retention let go; 0: none */
  readonly baseSeq: number;
  /** null: nobody knows it any more */
  readonly baseHash: Buffer | null;
  readonly headSeq: number;
  readonly headHash: Buffer;
  /** records may be written before the head is */
  readonly runsAhead: boolean;
}

export interface WalkedRecord {
  readonly seq: number;
  readonly id: string;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
  /** its content has that hash */
  readonly isIntact: boolean;
}

interface Link {
  readonly seq: number;
  readonly hash: Buffer | null;
}

const MAX_PROBLEMS = 1000;

const nameOf = ({ topic, partition, kind }: ChainName): string => `${topic}/${partition}/${kind}`;

/** Holds chains, whose records are handed over in the order of `seq`, against themselves, their heads, and heads noted elsewhere. */
export class Walk {
  readonly #noted = new Map<string, Map<number, string>>();
  readonly #chains: ChainHead[] = [];
  readonly #problems: Tampering[] = [];
  #problemCount = 0;
  #records = 0;
  #retired = 0;
  #unfinished = 0;
  #heads = 0;
  #chain: WalkedChain | undefined;
  #last: Link = { seq: 0, hash: null };
  /** what stands behind the head, in turn */
  #ahead: Link = { seq: 0, hash: null };
  /** records of one place, whose followers are still being gathered */
  #settling: WalkedRecord[] = [];
  #gathering: WalkedRecord[] = [];

  /** `trail`: name of the trail walked; heads of another one are a problem of their own. */
  constructor(noted: readonly NotedHead[], trail = '') {
    for (const head of noted) {
      if (head.trail !== undefined && head.trail !== '' && trail !== '' && head.trail !== trail) continue;
      const name = nameOf(head);
      const ofChain = this.#noted.get(name) ?? new Map<number, string>();
      const before = ofChain.get(head.seq);
      // Two heads of one place that differ: one of them can't be of this chain, whichever the chain follows.
      if (before !== undefined && before !== head.hash)
        this.report({ what: 'changed', ...namePart(head), id: '', count: 1 });
      this.#noted.set(name, ofChain.set(head.seq, head.hash));
      this.#heads++;
    }
    this.#reportOtherTrails(noted, trail);
  }

  #reportOtherTrails(noted: readonly NotedHead[], trail: string): void {
    if (trail === '') return;
    const newest = new Map<string, NotedHead>();
    for (const head of noted) {
      if (head.trail !== undefined && head.trail !== '' && head.trail !== trail)
        newest.set(`${head.trail} ${nameOf(head)}`, head);
    }
    const byTrail = Map.groupBy(newest.values(), (head) => head.trail ?? '');
    for (const [id, heads] of byTrail) {
      const [first] = heads;
      const count = heads.reduce((sum, { seq }) => sum + seq, 0);
      if (first !== undefined) this.report({ what: 'replaced', ...namePart(first), id, count });
    }
  }

  begin(chain: WalkedChain): void {
    this.#chain = chain;
    this.#retired += chain.baseSeq;
    this.#last = { seq: chain.baseSeq, hash: chain.baseHash ?? this.#notedHash(chain, chain.baseSeq) };
    this.#ahead = { seq: chain.headSeq, hash: chain.headHash };
    this.#settling = [];
    this.#gathering = [];
    const { topic, partition, kind, headSeq: seq, headHash } = chain;
    this.#chains.push({ topic, partition, kind, seq, hash: headHash.toString('hex') });
  }

  #notedHash(chain: WalkedChain, seq: number): Buffer | null {
    const noted = this.#noted.get(nameOf(chain))?.get(seq);
    return noted === undefined ? null : Buffer.from(noted, 'hex');
  }

  record(record: WalkedRecord): void {
    this.#records++;
    if (this.#gathering[0]?.seq === record.seq) {
      this.#gathering.push(record);
      return;
    }
    this.#settle(this.#settling, this.#gathering);
    this.#settling = this.#gathering;
    this.#gathering = [record];
  }

  end(): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    this.#settle(this.#settling, this.#gathering);
    this.#settle(this.#gathering, []);
    const noted = [...(this.#noted.get(nameOf(chain))?.keys() ?? [])];
    const newest = noted.reduce((max, seq) => Math.max(max, seq), chain.headSeq);
    const { seq, hash } = this.#last;
    const isWhole = seq >= newest && (hash?.equals(chain.headHash) ?? seq === chain.headSeq);
    if (!isWhole) this.#reportAt('cut-off', seq + 1, '', Math.max(1, newest - seq));
    this.#chain = undefined;
  }

  /** Judges the records of one place, knowing those of the next. */
  #settle(group: readonly WalkedRecord[], followers: readonly WalkedRecord[]): void {
    const chain = this.#chain;
    const [first] = group;
    if (chain === undefined || first === undefined) return;
    if (first.seq > chain.headSeq) {
      for (const record of group) this.#goAhead(record, chain);
      return;
    }
    const { hash: lastHash } = this.#last;
    const follows = (one: WalkedRecord): boolean => lastHash !== null && one.prevHash.equals(lastHash);
    const isFollowed = (one: WalkedRecord): boolean => followers.some(({ prevHash }) => prevHash.equals(one.hash));
    // The next one follows the one before: these were put in between, and are left out of the walk.
    const areAlien = followers.some(follows) && !group.some(isFollowed);
    const genuine = areAlien
      ? undefined
      : (group.find((one) => follows(one) && isFollowed(one)) ??
        group.find((one) => follows(one) && one.hash.equals(chain.headHash)) ??
        group.find(isFollowed) ??
        group.find(follows) ??
        first);
    for (const one of group) {
      if (one === genuine) this.#step(one, chain);
      else this.#reportAt('added', one.seq, one.id, 1);
    }
  }

  #step(record: WalkedRecord, chain: WalkedChain): void {
    const { seq, id, hash, prevHash } = record;
    const { seq: lastSeq, hash: lastHash } = this.#last;
    const follows = lastHash === null ? seq === lastSeq + 1 : prevHash.equals(lastHash);
    if (!follows) this.#reportAt('missing', Math.min(seq, lastSeq + 1), id, Math.max(1, seq - lastSeq - 1));
    const noted = this.#noted.get(nameOf(chain))?.get(seq);
    const isRewritten = noted !== undefined && noted !== hash.toString('hex');
    if (isRewritten || !record.isIntact) this.#reportAt('changed', seq, id, 1);
    this.#last = { seq, hash };
  }

  #goAhead({ seq, id, prevHash, hash, isIntact }: WalkedRecord, { runsAhead }: WalkedChain): void {
    const isLinked = seq === this.#ahead.seq + 1 && this.#ahead.hash?.equals(prevHash) === true;
    if (!runsAhead || !isLinked || !isIntact) {
      this.#reportAt('added', seq, id, 1);
      return;
    }
    this.#ahead = { seq, hash };
    this.#unfinished++;
  }

  #reportAt(what: Tampering['what'], seq: number, id: string, count: number): void {
    if (this.#chain === undefined) return;
    const { topic, partition, kind } = this.#chain;
    this.report({ what, topic, partition, kind, seq, id, count });
  }

  report(problem: Tampering): void {
    this.#problemCount++;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }

  result(): Verification {
    return {
      records: this.#records,
      chains: this.#chains,
      retired: this.#retired,
      unfinished: this.#unfinished,
      heads: this.#heads,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }
}

const namePart = ({
  topic,
  partition,
  kind,
  seq,
}: ChainHead): Pick<Tampering, 'topic' | 'partition' | 'kind' | 'seq'> => ({
  ...{ topic, partition, kind, seq },
});
