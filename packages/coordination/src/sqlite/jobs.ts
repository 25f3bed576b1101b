import type Database from 'better-sqlite3';
import { type CheckedJob, KEEP_COUNT, KEEP_MS } from '../arguments.ts';
import { backoff, type Outcome } from '../outcome.ts';
import type { DeadJob, JobCounts } from '../port.ts';

/** A job that a worker took to run. */
export interface TakenJob {
  readonly queue: string;
  readonly id: string;
  readonly payload: Buffer;
  /** failed attempts so far */
  readonly attempt: number;
  readonly attempts: number;
  readonly backoff_ms: number;
  readonly expires_at: number;
}

/** The table of jobs. Times are in ms since the epoch. */
export class Jobs {
  readonly #db: Database.Database;
  readonly #add: Database.Statement;
  readonly #next: Database.Statement<[string, number], TakenJob>;
  readonly #nextAt: Database.Statement<[string], number | null>;
  readonly #set: Database.Statement;
  readonly #counts: Database.Statement<[number, string], { state: number; delayed: number; total: number }>;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#add = db.prepare(
      `INSERT INTO jobs (queue, id, run_at, expires_at, forget_at, attempts, backoff_ms, payload)
       VALUES (@queue, @id, @runAt, @expiresAt, @forgetAt, @attempts, @backoffMs, @payload) ON CONFLICT DO NOTHING`,
    );
    this.#next = db.prepare(
      `UPDATE jobs SET state = 1 WHERE (queue, id) = (SELECT queue, id FROM jobs WHERE queue = ? AND state = 0 AND run_at <= ? ORDER BY run_at LIMIT 1)
       RETURNING queue, id, payload, attempt, attempts, backoff_ms, expires_at`,
    );
    this.#nextAt = db
      .prepare<[string], number | null>('SELECT min(run_at) FROM jobs WHERE queue = ? AND state = 0')
      .pluck();
    this.#set = db.prepare(
      'UPDATE jobs SET state = @state, run_at = @runAt, attempt = @attempt, reason = @reason, forget_at = @forgetAt WHERE queue = @queue AND id = @id',
    );
    this.#counts = db.prepare(
      'SELECT state, run_at > ? AS delayed, count(*) AS total FROM jobs WHERE queue = ? GROUP BY state, delayed',
    );
  }

  add({ payload, ...job }: CheckedJob): boolean {
    const forgetAt = job.expiresAt + KEEP_MS;
    return this.#add.run({ ...job, forgetAt, payload: Buffer.from(payload) }).changes === 1;
  }

  /** Takes the next job that is due and marks it as running. */
  take(queue: string, now: number): TakenJob | undefined {
    return this.#next.get(queue, now);
  }

  /** Returns when the next job is due, or null if no job waits. */
  dueAt(queue: string): number | null {
    return this.#nextAt.get(queue) ?? null;
  }

  end(job: TakenJob, outcome: Outcome, now: number): void {
    const { queue, id, attempt, backoff_ms, expires_at } = job;
    const kept = { queue, id, attempt, reason: '', runAt: now, forgetAt: expires_at + KEEP_MS };
    if (outcome.kind === 'done') this.#set.run({ ...kept, state: 2, forgetAt: Math.max(now, expires_at) + KEEP_MS });
    if (outcome.kind === 'postponed') this.#set.run({ ...kept, state: 0, runAt: now + outcome.delayMs });
    if (outcome.kind === 'retried') {
      const runAt = now + backoff(backoff_ms, attempt + 1);
      this.#set.run({ ...kept, state: 0, attempt: attempt + 1, runAt, reason: outcome.reason });
    }
    if (outcome.kind === 'dead') this.#set.run({ ...kept, state: 3, attempt: attempt + 1, reason: outcome.reason });
  }

  counts(queue: string, now: number): JobCounts {
    const counts = { waiting: 0, delayed: 0, active: 0, dead: 0 };
    for (const { state, delayed, total } of this.#counts.all(now, queue)) {
      if (state === 0) counts[delayed === 1 ? 'delayed' : 'waiting'] += total;
      if (state === 1) counts.active += total;
      if (state === 3) counts.dead += total;
    }
    return counts;
  }

  dead(queue: string, limit: number): DeadJob[] {
    const sql =
      'SELECT id, payload, reason, attempt AS attempts FROM jobs WHERE queue = ? AND state = 3 ORDER BY run_at DESC LIMIT ?';
    return this.#db.prepare<[string, number], DeadJob>(sql).all(queue, limit);
  }

  /** Deletes jobs whose `forget_at` has passed, and in each queue the completed and dead jobs beyond KEEP_COUNT. */
  purge(now: number): void {
    this.#db.prepare('DELETE FROM jobs WHERE forget_at < ? AND state <> 1').run(now);
    const queues = this.#db.prepare<[], string>('SELECT DISTINCT queue FROM jobs').pluck().all();
    const trim = this.#db.prepare(
      'DELETE FROM jobs WHERE queue = @queue AND state = @state AND run_at < (SELECT run_at FROM jobs WHERE queue = @queue AND state = @state ORDER BY run_at DESC LIMIT 1 OFFSET @keep)',
    );
    for (const queue of queues) for (const state of [2, 3]) trim.run({ queue, state, keep: KEEP_COUNT });
  }
}
