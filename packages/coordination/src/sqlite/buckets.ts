import type Database from 'better-sqlite3';
import type { Bucket, Taken } from '../port.ts';

/** Token buckets, by the same arithmetic as redis/scripts.ts. Times in ms since the epoch; a clock that goes back neither fills nor empties. */
export class Buckets {
  readonly #last: Database.Statement<[string, number], { readonly level: number; readonly at: number }>;
  readonly #put: Database.Statement;

  constructor(db: Database.Database) {
    this.#last = db.prepare('SELECT level, at FROM buckets WHERE key = ? AND expires_at > ?');
    this.#put = db.prepare('INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?)');
  }

  take(key: string, { rate, burst }: Bucket, amount: number, now: number): Taken {
    const last = this.#last.get(key, now);
    const at = Math.max(now, last?.at ?? now);
    const level = Math.min(burst, (last?.level ?? burst) + ((at - (last?.at ?? at)) * rate) / 1000);
    const granted = level >= amount;
    const left = granted ? level - amount : level;
    const fullInMs = Math.ceil(((burst - left) * 1000) / rate);
    this.#put.run(key, left, at, at + fullInMs + 1000);
    return { granted, retryAfterMs: granted ? 0 : Math.ceil(((amount - left) * 1000) / rate) };
  }
}
