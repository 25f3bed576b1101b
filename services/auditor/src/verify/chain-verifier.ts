import type { ChainHead } from '../sink.ts';
import type { PublishedHead, Tampering, Verification } from './verification.ts';

export type ChainName = Pick<ChainHead, 'topic' | 'partition' | 'kind'>;

export interface ChainBounds extends ChainName {
  /** Last record that retention dropped; 0 when none was */
  readonly baseSeq: number;
  /** null when unknown */
  readonly baseHash: Buffer | null;
  readonly headSeq: number;
  readonly headHash: Buffer;
  /** Whether records may be written before their head */
  readonly runsAhead: boolean;
}

export interface ChainRecord {
  readonly seq: number;
  readonly id: string;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
  /** Whether the content matches the hash */
  readonly isIntact: boolean;
}

interface Link {
  readonly seq: number;
  readonly hash: Buffer | null;
}

const MAX_PROBLEMS = 1000;
/** Window in sequence numbers: the longest run of inserted records that can be distinguished from genuine records. */
const LOOKAHEAD = 16;

export const chainKey = ({ topic, partition, kind }: ChainName): string => `${topic}/${partition}/${kind}`;

/** Verifies the links of chains, and compares chains with their heads and published heads. Records arrive by `seq`. */
export class ChainVerifier {
  readonly #published = new Map<string, Map<number, string>>();
  readonly #chains: ChainHead[] = [];
  readonly #problems: Tampering[] = [];
  #problemCount = 0;
  #records = 0;
  #retired = 0;
  #unfinished = 0;
  #heads = 0;
  #chain: ChainBounds | undefined;
  #last: Link = { seq: 0, hash: null };
  /** End of the linked records behind the head */
  #unfinishedLink: Link = { seq: 0, hash: null };
  /** Unchecked records, grouped by sequence number: later records show which record of a group is genuine */
  #window: ChainRecord[][] = [];

  /** `trail` is the name of the verified trail; heads of another trail are reported separately. */
  constructor(published: readonly PublishedHead[], trail = '') {
    for (const head of published) {
      if (head.trail !== undefined && head.trail !== '' && trail !== '' && head.trail !== trail) continue;
      const name = chainKey(head);
      const chainHeads = this.#published.get(name) ?? new Map<number, string>();
      const existing = chainHeads.get(head.seq);
      // Two different heads for one record: one of them cannot belong to this chain.
      if (existing !== undefined && existing !== head.hash)
        this.report({ type: 'changed', ...chainFields(head), id: '', count: 1 });
      this.#published.set(name, chainHeads.set(head.seq, head.hash));
      this.#heads++;
    }
    this.#reportOtherTrails(published, trail);
  }

  #reportOtherTrails(published: readonly PublishedHead[], trail: string): void {
    if (trail === '') return;
    const newest = new Map<string, PublishedHead>();
    for (const head of published) {
      if (head.trail !== undefined && head.trail !== '' && head.trail !== trail)
        newest.set(`${head.trail} ${chainKey(head)}`, head);
    }
    const byTrail = Map.groupBy(newest.values(), (head) => head.trail ?? '');
    for (const [id, heads] of byTrail) {
      const [first] = heads;
      const count = heads.reduce((sum, { seq }) => sum + seq, 0);
      if (first !== undefined) this.report({ type: 'replaced', ...chainFields(first), id, count });
    }
  }

  begin(chain: ChainBounds): void {
    this.#chain = chain;
    this.#retired += chain.baseSeq;
    this.#last = { seq: chain.baseSeq, hash: chain.baseHash ?? this.#publishedHash(chain, chain.baseSeq) };
    this.#unfinishedLink = { seq: chain.headSeq, hash: chain.headHash };
    this.#window = [];
    const { topic, partition, kind, headSeq: seq, headHash } = chain;
    this.#chains.push({ topic, partition, kind, seq, hash: headHash.toString('hex') });
  }

  #publishedHash(chain: ChainBounds, seq: number): Buffer | null {
    const published = this.#published.get(chainKey(chain))?.get(seq);
    return published === undefined ? null : Buffer.from(published, 'hex');
  }

  record(record: ChainRecord): void {
    this.#records++;
    const group = this.#window.at(-1);
    if (group?.[0]?.seq === record.seq) {
      group.push(record);
      return;
    }
    this.#window.push([record]);
    if (this.#window.length > LOOKAHEAD) this.#checkFirst();
  }

  end(): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    while (this.#window.length > 0) this.#checkFirst();
    const published = [...(this.#published.get(chainKey(chain))?.keys() ?? [])];
    const newest = published.reduce((max, seq) => Math.max(max, seq), chain.headSeq);
    const { seq, hash } = this.#last;
    const isComplete = seq >= newest && (hash?.equals(chain.headHash) ?? seq === chain.headSeq);
    if (!isComplete) this.#reportAt('cut-off', seq + 1, '', Math.max(1, newest - seq));
    this.#chain = undefined;
  }

  /** Checks the records of the first sequence number in the window. */
  #checkFirst(): void {
    const chain = this.#chain;
    const group = this.#window.shift();
    const first = group?.[0];
    if (chain === undefined || group === undefined || first === undefined) return;
    if (first.seq > chain.headSeq) {
      for (const record of group) this.#checkUnfinished(record, chain);
      return;
    }
    const genuine = this.#selectGenuine(group, chain) ?? first;
    const later = this.#window.flat().filter(({ seq }) => seq <= chain.headSeq);
    // Records were inserted when a later record follows the previous one directly and none of them links the two.
    const isLink = this.#follows(genuine) && isFollowed(genuine, later);
    const isInserted = !isLink && later.some((record) => this.#follows(record));
    for (const record of group) {
      if (record === genuine && !isInserted) this.#checkRecord(record, chain);
      else this.#reportAt('added', record.seq, record.id, 1);
    }
  }

  #selectGenuine(group: readonly ChainRecord[], { headHash }: ChainBounds): ChainRecord | undefined {
    if (group.length === 1) return group[0];
    const later = this.#window.flat();
    const following = group.filter((record) => this.#follows(record));
    return (
      following.find((record) => isFollowed(record, later)) ??
      following.find(({ hash }) => hash.equals(headHash)) ??
      group.find((record) => isFollowed(record, later)) ??
      following[0]
    );
  }

  #follows({ prevHash }: ChainRecord): boolean {
    return this.#last.hash?.equals(prevHash) === true;
  }

  #checkRecord(record: ChainRecord, chain: ChainBounds): void {
    const { seq, id, hash, prevHash } = record;
    const { seq: lastSeq, hash: lastHash } = this.#last;
    const follows = lastHash === null ? seq === lastSeq + 1 : prevHash.equals(lastHash);
    if (!follows) this.#reportAt('missing', Math.min(seq, lastSeq + 1), id, Math.max(1, seq - lastSeq - 1));
    const published = this.#published.get(chainKey(chain))?.get(seq);
    const isRewritten = published !== undefined && published !== hash.toString('hex');
    if (isRewritten || !record.isIntact) this.#reportAt('changed', seq, id, 1);
    this.#last = { seq, hash };
  }

  #checkUnfinished({ seq, id, prevHash, hash, isIntact }: ChainRecord, { runsAhead }: ChainBounds): void {
    const isLinked = seq === this.#unfinishedLink.seq + 1 && this.#unfinishedLink.hash?.equals(prevHash) === true;
    if (!runsAhead || !isLinked || !isIntact) {
      this.#reportAt('added', seq, id, 1);
      return;
    }
    this.#unfinishedLink = { seq, hash };
    this.#unfinished++;
  }

  #reportAt(type: Tampering['type'], seq: number, id: string, count: number): void {
    if (this.#chain === undefined) return;
    const { topic, partition, kind } = this.#chain;
    this.report({ type, topic, partition, kind, seq, id, count });
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

const chainFields = ({
  topic,
  partition,
  kind,
  seq,
}: ChainHead): Pick<Tampering, 'topic' | 'partition' | 'kind' | 'seq'> => ({
  ...{ topic, partition, kind, seq },
});

const isFollowed = ({ hash }: ChainRecord, later: readonly ChainRecord[]): boolean =>
  later.some(({ prevHash }) => prevHash.equals(hash));
