import type Database from 'better-sqlite3';
import type { Bucket, TakeResult } from '../port.ts';

/**
 * Token buckets with the same arithmetic as redis/scripts.ts. Times are in ms since the epoch. A clock that goes
 * backwards neither fills nor drains a bucket.
 */
export class Buckets {
  readonly #last: Database.Statement<[string, number], { readonly level: number; readonly at: number }>;
  readonly #put: Database.Statement;

  constructor(db: Database.Database) {
    this.#last = db.prepare('SELECT level, at FROM buckets WHERE key = ? AND expires_at > ?');
    this.#put = db.prepare('INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?)');
  }

  take(key: string, { rate, burst }: Bucket, amount: number, now: number): TakeResult {
    const last = this.#last.get(key, now);
    const at = Math.max(now, last?.at ?? now);
    const level = Math.min(burst, (last?.level ?? burst) + ((at - (last?.at ?? at)) * rate) / 1000);
    const granted = level >= amount;
    const remaining = granted ? level - amount : level;
    const fullInMs = Math.ceil(((burst - remaining) * 1000) / rate);
    this.#put.run(key, remaining, at, at + fullInMs + 1000);
    return { granted, retryAfterMs: granted ? 0 : Math.ceil(((amount - remaining) * 1000) / rate) };
  }
}
