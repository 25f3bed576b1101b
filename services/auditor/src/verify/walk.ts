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
/** Places. So many records put in next to each other are told from genuine ones. */
const LOOKAHEAD = 16;

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
  /** records not judged yet, by place: which of two that claim one is genuine shows by what follows */
  #window: WalkedRecord[][] = [];

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
    this.#window = [];
    const { topic, partition, kind, headSeq: seq, headHash } = chain;
    this.#chains.push({ topic, partition, kind, seq, hash: headHash.toString('hex') });
  }

  #notedHash(chain: WalkedChain, seq: number): Buffer | null {
    const noted = this.#noted.get(nameOf(chain))?.get(seq);
    return noted === undefined ? null : Buffer.from(noted, 'hex');
  }

  record(record: WalkedRecord): void {
    this.#records++;
    const place = this.#window.at(-1);
    if (place?.[0]?.seq === record.seq) {
      place.push(record);
      return;
    }
    this.#window.push([record]);
    if (this.#window.length > LOOKAHEAD) this.#settle();
  }

  end(): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    while (this.#window.length > 0) this.#settle();
    const noted = [...(this.#noted.get(nameOf(chain))?.keys() ?? [])];
    const newest = noted.reduce((max, seq) => Math.max(max, seq), chain.headSeq);
    const { seq, hash } = this.#last;
    const isWhole = seq >= newest && (hash?.equals(chain.headHash) ?? seq === chain.headSeq);
    if (!isWhole) this.#reportAt('cut-off', seq + 1, '', Math.max(1, newest - seq));
    this.#chain = undefined;
  }

  /** Judges the records of the first place in the window. */
  #settle(): void {
    const chain = this.#chain;
    const group = this.#window.shift();
    const first = group?.[0];
    if (chain === undefined || group === undefined || first === undefined) return;
    if (first.seq > chain.headSeq) {
      for (const record of group) this.#goAhead(record, chain);
      return;
    }
    const genuine = this.#genuine(group, chain) ?? first;
    const later = this.#window.flat().filter(({ seq }) => seq <= chain.headSeq);
    // A later one follows the one before, and these are no link between the two: they were put in, and are left out of the walk.
    const isLink = this.#follows(genuine) && isFollowed(genuine, later);
    const areAlien = !isLink && later.some((one) => this.#follows(one));
    for (const one of group) {
      if (one === genuine && !areAlien) this.#step(one, chain);
      else this.#reportAt('added', one.seq, one.id, 1);
    }
  }

  #genuine(group: readonly WalkedRecord[], { headHash }: WalkedChain): WalkedRecord | undefined {
    if (group.length === 1) return group[0];
    const later = this.#window.flat();
    const following = group.filter((one) => this.#follows(one));
    return (
      following.find((one) => isFollowed(one, later)) ??
      following.find(({ hash }) => hash.equals(headHash)) ??
      group.find((one) => isFollowed(one, later)) ??
      following[0]
    );
  }

  #follows({ prevHash }: WalkedRecord): boolean {
    return this.#last.hash?.equals(prevHash) === true;
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

const isFollowed = ({ hash }: WalkedRecord, later: readonly WalkedRecord[]): boolean =>
  later.some(({ prevHash }) => prevHash.equals(hash));
