import type { AuditKind } from '@ringfence/wire';
import { kindOf, recordHash } from '../chain.ts';
import { unpack } from '../packing.ts';
import { type ChainName, ChainVerifier } from '../verify/chain-verifier.ts';
import type { PublishedHead, Verification } from '../verify/verification.ts';
import type { Sqlite } from './database.ts';

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

/** Called regularly with the number of records verified so far. */
export type Progress = (records: number) => void;

const PROGRESS_RECORDS = 4096;

/** Verifies every chain, also against heads published earlier: a chain without such a hash was rewritten. */
export function verifyTrail(db: Sqlite, published: readonly PublishedHead[] = [], progress?: Progress): Verification {
  return db.transaction(() => {
    const verifier = new ChainVerifier(published, trailName(db));
    const select = db.prepare<[number], RecordRow>(
      `SELECT seq, kind, id, timestamp, host, source_offset, prev_hash, hash, size, packed, payload
       FROM records WHERE chain = ? ORDER BY seq`,
    );
    let verified = 0;
    for (const chain of db.prepare<[], ChainRow>('SELECT * FROM chains ORDER BY topic, partition, kind').all()) {
      const {
        topic,
        partition,
        base_seq: baseSeq,
        base_hash: baseHash,
        head_seq: headSeq,
        head_hash: headHash,
      } = chain;
      const name: ChainName = { topic, partition, kind: kindOf(chain.kind) ?? 'events' };
      verifier.begin({ ...name, baseSeq, baseHash, headSeq, headHash, runsAhead: false });
      for (const row of select.iterate(chain.chain)) {
        const { seq, id, prev_hash: prevHash, hash } = row;
        verifier.record({ seq, id, prevHash, hash, isIntact: isIntact(name, row) });
        if (++verified % PROGRESS_RECORDS === 0) progress?.(verified);
      }
      verifier.end();
    }
    reportOrphans(db, verifier);
    return verifier.result();
  })();
}

/** Returns '' for a trail created before trails had names. */
function trailName(db: Sqlite): string {
  const exists = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'trail'").get();
  return exists === undefined ? '' : (db.prepare<[], { name: string }>('SELECT name FROM trail').get()?.name ?? '');
}

/** Reports records that belong to no chain. */
function reportOrphans(db: Sqlite, verifier: ChainVerifier): void {
  const rows = db
    .prepare<[], { seq: number; id: string; kind: number }>(
      'SELECT seq, id, kind FROM records WHERE chain NOT IN (SELECT chain FROM chains)',
    )
    .iterate();
  for (const { seq, id, kind } of rows) {
    const name: { kind: AuditKind; topic: string; partition: number } = {
      kind: kindOf(kind) ?? 'events',
      topic: '',
      partition: 0,
    };
    verifier.report({ type: 'added', ...name, seq, id, count: 1 });
  }
}

function isIntact(chain: ChainName, record: RecordRow): boolean {
  if (kindOf(record.kind) !== chain.kind) return false;
  let payload: Buffer;
  try {
    payload = unpack(record.payload, record.packed, record.size);
  } catch {
    // Bytes that cannot be unpacked are not the stored ones.
    return false;
  }
  const { id, timestamp, host: hostId, source_offset: offset, prev_hash } = record;
  return recordHash(prev_hash, { ...chain, id, timestamp, hostId, offset, payload }).equals(record.hash);
}
