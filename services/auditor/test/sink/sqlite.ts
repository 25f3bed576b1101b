import { join } from 'node:path';
import { createTestAlert, EVIDENCE_HOST } from '@ringfence/synthetic';
import { type AuditKind, encode, TOPIC } from '@ringfence/wire';
import Database from 'better-sqlite3';
import { kindNumber, kindOf, recordHash } from '../../src/chain.ts';
import { AuditReader, SqliteSink } from '../../src/index.ts';
import { tempDir } from '../support.ts';
import type { TamperActions, TestStore } from './store.ts';

export async function openSqliteStore(): Promise<TestStore> {
  const dir = tempDir();
  const path = join(dir.path, 'audit.db');
  return {
    open: () => new SqliteSink({ path, maxBytes: 2 ** 30, eventRetentionMs: 1e12, synchronous: 'normal' }),
    verify: async (published) => {
      using reader = new AuditReader(path);
      return reader.verify(published);
    },
    counts: async () => {
      const db = new Database(path, { readonly: true });
      const rows = db.prepare('SELECT kind, count(*) AS count FROM records GROUP BY kind').all() as Row[];
      db.close();
      return Object.fromEntries(rows.map(({ kind, count }) => [kindOf(kind) as AuditKind, count]));
    },
    executions: async () => {
      using reader = new AuditReader(path);
      return reader.stats().counts.execution;
    },
    tamper: sqliteTampering(path),
    [Symbol.asyncDispose]: async () => dir[Symbol.dispose](),
  };
}

interface Row {
  readonly kind: number;
  readonly count: number;
}

const ALERT = `kind = ${kindNumber.alert}`;
const COLUMNS =
  'timestamp, until, host, source_offset, event_kinds, events, prev_hash, hash, size, packed, entities, payload';

function sqliteTampering(path: string): TamperActions {
  const run = (...statements: readonly string[]): void => {
    const db = new Database(path);
    for (const sql of statements) {
      if (db.prepare(sql).run().changes === 0) throw new Error(`the statement changed no row: ${sql}`);
    }
    db.close();
  };
  return {
    changePayload: async (seq) => run(`UPDATE records SET payload = x'00', packed = 0 WHERE ${ALERT} AND seq = ${seq}`),
    rewrite: async (seq) => {
      const db = new Database(path);
      const row = db
        .prepare(`SELECT record, prev_hash, id, timestamp, source_offset FROM records WHERE ${ALERT} AND seq = ?`)
        .get(seq) as {
        record: number;
        prev_hash: Buffer;
        id: string;
        timestamp: number;
        source_offset: number;
      };
      const payload = encode('Alert', createTestAlert(77));
      const { id, timestamp, source_offset: offset } = row;
      const name = { kind: 'alert', topic: TOPIC.alerts, partition: 0, hostId: EVIDENCE_HOST } as const;
      const hash = recordHash(row.prev_hash, { ...name, id, timestamp, offset, payload });
      db.prepare('UPDATE records SET payload = ?, packed = 0, size = ?, hash = ? WHERE record = ?').run(
        payload,
        payload.length,
        hash,
        row.record,
      );
      db.close();
    },
    remove: async (seqs) => run(`DELETE FROM records WHERE ${ALERT} AND seq IN (${seqs.join()})`),
    insert: async (from, seq) => {
      const db = new Database(path);
      const { last } = db.prepare(`SELECT max(seq) AS last FROM records WHERE ${ALERT}`).get() as { last: number };
      for (let n = last; n >= seq; n--)
        db.prepare(`UPDATE records SET seq = ? WHERE ${ALERT} AND seq = ?`).run(n + 1, n);
      if (seq <= last) db.exec(`UPDATE chains SET head_seq = head_seq + 1 WHERE ${ALERT}`);
      db.exec(
        `INSERT INTO records (chain, seq, kind, id, ${COLUMNS}) SELECT chain, ${seq}, kind, 'planted', ${COLUMNS} FROM records WHERE ${ALERT} AND seq = ${from}`,
      );
      db.close();
    },
    cutOff: async (seq) =>
      run(
        `DELETE FROM records WHERE ${ALERT} AND seq >= ${seq}`,
        `UPDATE chains SET head_seq = ${seq - 1}, head_hash = (SELECT hash FROM records WHERE ${ALERT} AND seq = ${seq - 1}) WHERE ${ALERT}`,
      ),
  };
}
