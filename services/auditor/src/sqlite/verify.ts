import type { AuditKind } from '@ringfence/schema';
import { kindOf, recordHash } from './chain.ts';
import type { Sqlite } from './database.ts';
import { unpack } from './packing.ts';

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

/** Where a chain ended at some time: kept elsewhere, it proves that nothing before was rewritten. */
export interface ChainHead {
  readonly topic: string;
  readonly partition: number;
  readonly kind: AuditKind;
  readonly seq: number;
  /** hex */
  readonly hash: string;
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
    const name = { topic: chain.topic, partition: chain.partition, kind: kindOf(chain.kind) ?? 'events' };
    this.#retired += chain.base_seq;
    this.#heads.push({ ...name, seq: chain.head_seq, hash: chain.head_hash.toString('hex') });
    const anchors = this.#anchors.filter(
      ({ topic, partition, kind }) => topic === name.topic && partition === name.partition && kind === name.kind,
    );
    let last = { seq: chain.base_seq, hash: chain.base_hash, id: '' };
    for (const record of this.#select.iterate(chain.chain)) {
      this.#records++;
      const at = { ...name, seq: record.seq, id: record.id, count: 1 };
      const follows = record.prev_hash.equals(last.hash);
      if (record.seq > chain.head_seq || (!follows && this.#isAlien(chain.chain, record, last.hash))) {
        // What was put in between is left out of the walk: the next one has to follow the one before.
        this.#report({ what: 'added', ...at });
        continue;
      }
      if (record.seq > last.seq + 1 && !follows) {
        this.#report({ what: 'missing', ...at, seq: last.seq + 1, count: record.seq - last.seq - 1 });
      } else if (!follows) this.#report({ what: 'missing', ...at });
      if (!isIntact(name, record)) this.#report({ what: 'changed', ...at });
      for (const anchor of anchors) {
        if (anchor.seq === record.seq && anchor.hash !== record.hash.toString('hex')) {
          this.#report({ what: 'changed', ...at });
        }
      }
      last = { seq: record.seq, hash: record.hash, id: record.id };
    }
    const newest = Math.max(chain.head_seq, ...anchors.map(({ seq }) => seq));
    if (last.seq < newest || (last.seq === chain.head_seq && !last.hash.equals(chain.head_hash))) {
      this.#report({ what: 'cut-off', ...name, seq: last.seq + 1, id: '', count: Math.max(1, newest - last.seq) });
    }
  }

  /** Not what follows, while the next one does follow the one before it: it was put in. */
  #isAlien(chain: number, record: RecordRow, before: Buffer): boolean {
    const next = this.#db
      .prepare<[number, number], { prev_hash: Buffer }>(
        'SELECT prev_hash FROM records WHERE chain = ? AND seq > ? ORDER BY seq LIMIT 1',
      )
      .get(chain, record.seq);
    return next?.prev_hash.equals(before) === true;
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

function isIntact(
  chain: { readonly topic: string; readonly partition: number; readonly kind: AuditKind },
  record: RecordRow,
): boolean {
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
