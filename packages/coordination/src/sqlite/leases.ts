import type Database from 'better-sqlite3';
import type { Holder, Lease } from '../port.ts';

/** The table of leases. Times are in ms since the epoch. */
export class Leases {
  readonly #holder: Database.Statement<[string, number], Holder>;
  readonly #fence: Database.Statement<[number], number>;
  readonly #put: Database.Statement;
  readonly #renew: Database.Statement;
  readonly #release: Database.Statement;
  readonly acquire: (name: string, owner: string, ttlMs: number, now: number, takeOver: boolean) => Lease | null;

  constructor(db: Database.Database) {
    this.#holder = db.prepare('SELECT owner, token FROM leases WHERE name = ? AND expires_at > ?');
    // Tokens derive from the clock, so that they keep ascending if the file was lost. They ascend even if the clock
    // goes backwards.
    this.#fence = db
      .prepare<[number], number>(
        'INSERT INTO fence VALUES (1, ?) ON CONFLICT DO UPDATE SET token = max(token + 1, excluded.token) RETURNING token',
      )
      .pluck();
    this.#put = db.prepare('INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)');
    this.#renew = db.prepare(
      'UPDATE leases SET expires_at = ? WHERE name = ? AND owner = ? AND token = ? AND expires_at > ?',
    );
    this.#release = db.prepare('DELETE FROM leases WHERE name = ? AND owner = ? AND token = ?');
    this.acquire = db.transaction((name, owner, ttlMs, now, takeOver) =>
      this.#acquire(name, owner, ttlMs, now, takeOver),
    );
  }

  #acquire(name: string, owner: string, ttlMs: number, now: number, takeOver: boolean): Lease | null {
    const held = this.#holder.get(name, now);
    if (held !== undefined && held.owner !== owner && !takeOver) return null;
    const token = this.#fence.get(now * 1000) as number;
    this.#put.run(name, owner, token, now + ttlMs);
    return { name, owner, token };
  }

  renew({ name, owner, token }: Lease, ttlMs: number, now: number): boolean {
    return this.#renew.run(now + ttlMs, name, owner, token, now).changes === 1;
  }

  release({ name, owner, token }: Lease): void {
    this.#release.run(name, owner, token);
  }

  holder(name: string, now: number): Holder | null {
    return this.#holder.get(name, now) ?? null;
  }
}
