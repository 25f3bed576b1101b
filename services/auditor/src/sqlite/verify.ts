import type { AuditKind } from '@ringfence/schema';
import { kindOf, recordHash } from '../chain.ts';
import { unpack } from '../packing.ts';
import type { ChainHead } from '../sink.ts';
import type { Sqlite } from './database.ts';

/** What is wrong with the trail. */
export type TamperKind =
  /** its content is not what was hashed */
  | 'changed'
  /** one or more records are gone from the middle or the beginning */
  | 'missing'
  /** it was not written by the auditor */
  | 'added'
  /** the newest records are gone */
  | 'cut-off';

export interface Tampering {
  readonly what: TamperKind;
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  /** place in the chain, from 1 */
  readonly seq: number;
  /** of the record, where there is one */
  readonly id: string;
  /** records concerned */
  readonly count: number;
}

export interface Verification {
  readonly records: number;
  readonly chains: readonly ChainHead[];
  /** records that retention let go, in order, from the chains' beginnings */
  readonly retired: number;
  /** the first 1,000 */
  readonly problems: readonly Tampering[];
  readonly problemCount: number;
}

const MAX_PROBLEMS = 1000;

interface ChainRow {
  readonly chain: number;
  readonly topic: string;
  readonly partition: number;
  readonly kind: number;
  readonly base_seq: number;
  readonly base_hash: Buffer;
  readonly head_seq: number;
  readonly head_hash: Buffer;
}

interface RecordRow {
  readonly seq: number;
  readonly kind: number;
  readonly id: string;
  readonly timestamp: number;
  readonly host: string;
  readonly source_offset: number;
  readonly prev_hash: Buffer;
  readonly hash: Buffer;
  readonly size: number;
  readonly packed: number;
  readonly payload: Buffer;
}

/** Walks every chain. `anchors` are heads that were noted earlier: a chain that never had that hash at that place was rewritten. */
export function verifyTrail(db: Sqlite, anchors: readonly ChainHead[] = []): Verification {
  return db.transaction(() => {
    const walk = new Walk(db, anchors);
    for (const chain of db.prepare<[], ChainRow>('SELECT * FROM chains ORDER BY topic, partition, kind').all()) {
      walk.chain(chain);
    }
    walk.orphans();
    return walk.result();
  })();
}

type ChainName = Pick<ChainHead, 'topic' | 'partition' | 'kind'>;

interface Link {
  readonly seq: number;
  readonly hash: Buffer;
}

function isOf(head: ChainHead, name: ChainName): boolean {
  return head.topic === name.topic && head.partition === name.partition && head.kind === name.kind;
}

/** Each with the one after it. */
function* pairs<T>(items: Iterable<T>): Generator<[T, T | undefined], void, undefined> {
  let held: T | undefined;
  for (const item of items) {
    if (held !== undefined) yield [held, item];
    held = item;
  }
  if (held !== undefined) yield [held, undefined];
}

class Walk {
  readonly #db: Sqlite;
  readonly #anchors: readonly ChainHead[];
  readonly #select;
  readonly #heads: ChainHead[] = [];
  readonly #problems: Tampering[] = [];
  #records = 0;
  #retired = 0;
  #problemCount = 0;

  constructor(db: Sqlite, anchors: readonly ChainHead[]) {
    this.#db = db;
    this.#anchors = anchors;
    this.#select = db.prepare<[number], RecordRow>(
      `SELECT seq, kind, id, timestamp, host, source_offset, prev_hash, hash, size, packed, payload
       FROM records WHERE chain = ? ORDER BY seq`,
    );
  }

  chain(chain: ChainRow): void {
    const { topic, partition } = chain;
    const name: ChainName = { topic, partition, kind: kindOf(chain.kind) ?? 'events' };
    this.#retired += chain.base_seq;
    this.#heads.push({ ...name, seq: chain.head_seq, hash: chain.head_hash.toString('hex') });
    const anchors = this.#anchors.filter((anchor) => isOf(anchor, name));
    let last: Link = { seq: chain.base_seq, hash: chain.base_hash };
    for (const [record, next] of pairs(this.#select.iterate(chain.chain))) {
      this.#records++;
      // The next one follows the one before: this one was put in between, and is left out of the walk.
      const isAlien = record.seq > chain.head_seq || next?.prev_hash.equals(last.hash) === true;
      if (isAlien) this.#report({ what: 'added', ...name, seq: record.seq, id: record.id, count: 1 });
      else last = this.#step(name, last, record, anchors);
    }
    this.#end(name, last, chain, anchors);
  }

  #step(name: ChainName, last: Link, record: RecordRow, anchors: readonly ChainHead[]): Link {
    const { seq, id, hash } = record;
    if (!record.prev_hash.equals(last.hash)) {
      const count = Math.max(1, seq - last.seq - 1);
      this.#report({ what: 'missing', ...name, seq: Math.min(seq, last.seq + 1), id, count });
    }
    const isRewritten = anchors.some((anchor) => anchor.seq === seq && anchor.hash !== hash.toString('hex'));
    if (isRewritten || !isIntact(name, record)) this.#report({ what: 'changed', ...name, seq, id, count: 1 });
    return { seq, hash };
  }

  #end(name: ChainName, last: Link, chain: ChainRow, anchors: readonly ChainHead[]): void {
    const newest = Math.max(chain.head_seq, ...anchors.map(({ seq }) => seq));
    if (last.seq >= newest && last.hash.equals(chain.head_hash)) return;
    const count = Math.max(1, newest - last.seq);
    this.#report({ what: 'cut-off', ...name, seq: last.seq + 1, id: '', count });
  }

  /** Records of no chain. */
  orphans(): void {
    const rows = this.#db
      .prepare<[], { seq: number; id: string; kind: number }>(
        'SELECT seq, id, kind FROM records WHERE chain NOT IN (SELECT chain FROM chains)',
      )
      .iterate();
    for (const { seq, id, kind } of rows) {
      this.#report({ what: 'added', topic: '', partition: 0, kind: kindOf(kind) ?? 'events', seq, id, count: 1 });
    }
  }

  #report(problem: Tampering): void {
    this.#problemCount++;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }

  result(): Verification {
    return {
      records: this.#records,
      chains: this.#heads,
      retired: this.#retired,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }
}

function isIntact(chain: ChainName, record: RecordRow): boolean {
  if (kindOf(record.kind) !== chain.kind) return false;
  let payload: Buffer;
  try {
    payload = unpack(record.payload, record.packed, record.size);
  } catch {
    // Bytes that don't unpack are not those that were packed.
    return false;
  }
  const { id, timestamp, host: hostId, source_offset: offset, prev_hash } = record;
  return recordHash(prev_hash, { ...chain, id, timestamp, hostId, offset, payload }).equals(record.hash);
}
