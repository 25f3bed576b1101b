import type Database from 'better-sqlite3';
import type { Bucket, Taken } from '../port.ts';

/** The same arithmetic as redis/scripts.ts. `now` in ms; a clock that goes back neither fills nor empties. */
export function takeTokens(
  db: Database.Database,
  key: string,
  { rate, burst }: Bucket,
  amount: number,
  now: number,
): Taken {
  const last = db
    .prepare<[string, number], { level: number; at: number }>(
      'SELECT level, at FROM buckets WHERE key = ? AND expires_at > ?',
    )
    .get(key, now);
  const at = Math.max(now, last?.at ?? now);
  const level = Math.min(burst, (last?.level ?? burst) + ((at - (last?.at ?? at)) * rate) / 1000);
  const granted = level >= amount;
  const left = granted ? level - amount : level;
  const fullInMs = Math.ceil(((burst - left) * 1000) / rate);
  db.prepare('INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?)').run(key, left, at, at + fullInMs + 1000);
  return { granted, retryAfterMs: granted ? 0 : Math.ceil(((amount - left) * 1000) / rate) };
}
