import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Coordination, Holder } from '@ringfence/coordination';
import { asBuffer, encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import { type OpenCommand, openCommands } from '../command.ts';
import type { CompiledResponderOptions } from '../config.ts';
import type { ResponderMetrics } from '../metrics.ts';
import type { Memory } from '../state/memory.ts';
import { leaseOf, OutageLog, queueOf } from './common.ts';

export interface RouterDeps {
  readonly coordination: Coordination;
  readonly bus: Pick<Bus, 'produce'>;
  /** Signs the Results of expired commands. */
  readonly key: SigningKey;
  readonly options: CompiledResponderOptions;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** This responder's own queue, for its counters. */
  readonly queue: string;
  /** µs since the epoch */
  readonly now: () => number;
}

/** More than fit into the life of a command: a job ends when it expires, not after a number of failures. */
const ATTEMPTS = 1000;
const BACKOFF_MS = 250;
/** Leases looked up in one call */
const LOOKUP_BATCH = 1000;
/** Jobs added concurrently */
const ADD_BATCH = 100;
/** A job is added again after this time, because Redis may have lost it. That has no effect on a job that exists. */
const ADD_AGAIN_MS = 3000;
/** `expired` is published again after this time, until it has been read. */
const EXPIRE_AGAIN_MS = 10_000;

/**
 * Brings each open command of the assigned partitions to the responder that holds its agent's stream, as a job in that
 * responder's queue. It does so again and again until the command is answered, because an agent may move and Redis may
 * lose jobs. Publishes the answer `expired` for a command that got no other.
 */
export class Router {
  readonly #deps: RouterDeps;
  readonly #memories = new Map<number, Memory>();
  readonly #routed = new Map<string, { readonly owner: string; readonly at: number }>();
  /** When `expired` was last published, by command id; ms, monotonic */
  readonly #expired = new Map<string, number>();
  readonly #stop = new AbortController();
  /** The last look-up of leases failed. */
  #isBlind = false;
  #wake: AbortController = new AbortController();
  readonly #running: Promise<void>;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  add(partition: number, memory: Memory): void {
    this.#memories.set(partition, memory);
    this.kick();
  }

  remove(partition: number): void {
    this.#memories.delete(partition);
  }

  /** Routes now instead of after the interval. */
  readonly kick = (): void => {
    this.#wake.abort();
  };

  async close(): Promise<void> {
    this.#stop.abort();
    this.kick();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { options, metrics, log, coordination, queue } = this.#deps;
    const outage = new OutageLog();
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#routeAll();
        metrics.queue = await coordination.counts(queue);
        outage.succeed();
        this.#isBlind = false;
      } catch (err) {
        this.#isBlind = true;
        metrics.failed('routing');
        outage.fail(() => log.warn({ err }, 'commands could not be routed; they are routed again'));
      }
      await sleep(options.routeAgainMs, undefined, { signal: this.#wake.signal }).catch(() => {});
    }
  }

  async #routeAll(): Promise<void> {
    const open = [...this.#memories.values()].flatMap(openCommands);
    this.#deps.metrics.open = open.length;
    this.#forget(new Set(open.map(({ id }) => id)));
    const expired = open.filter((command) => this.#isExpired(command));
    if (expired.length > 0) await this.#expire(expired);
    const due = open.filter((command) => !this.#isExpired(command));
    let unheld = 0;
    for (let i = 0; i < due.length; i += LOOKUP_BATCH) {
      const batch = due.slice(i, i + LOOKUP_BATCH);
      const holders = await this.#deps.coordination.holders(batch.map(({ hostId }) => leaseOf(hostId)));
      unheld += holders.filter((holder) => holder === null).length;
      await this.#routeBatch(batch, holders);
    }
    this.#deps.metrics.unheld = unheld;
  }

  async #routeBatch(open: readonly OpenCommand[], holders: readonly (Holder | null)[]): Promise<void> {
    const jobs = open.flatMap((command, i) => {
      const owner = holders[i]?.owner;
      return owner !== undefined && this.#isDue(command.id, owner) ? [{ command, owner }] : [];
    });
    for (let i = 0; i < jobs.length; i += ADD_BATCH)
      await Promise.all(jobs.slice(i, i + ADD_BATCH).map(({ command, owner }) => this.#route(command, owner)));
  }

  async #route({ id, command, expiresAt }: OpenCommand, owner: string): Promise<void> {
    const { coordination, options, metrics, now } = this.#deps;
    // The agent is asked beyond the expiry too: it carries nothing out then, but reports what it did before.
    const leftMs = Math.ceil((expiresAt - now()) / 1000) + options.answerGraceMs / 2;
    await coordination.add({
      id,
      queue: queueOf(owner),
      payload: asBuffer(command),
      attempts: ATTEMPTS,
      backoffMs: BACKOFF_MS,
      expiresAt: Math.round(Date.now() + leftMs),
    });
    if (this.#routed.get(id)?.owner !== owner) metrics.routed++;
    this.#routed.set(id, { owner, at: performance.now() });
  }

  async #expire(expired: readonly OpenCommand[]): Promise<void> {
    const { bus, key, now } = this.#deps;
    const at = performance.now();
    const due = expired.filter(({ id }) => at - (this.#expired.get(id) ?? Number.NEGATIVE_INFINITY) > EXPIRE_AGAIN_MS);
    if (due.length === 0) return;
    await bus.produce(
      due.map(({ id, hostId }) => {
        const reason = this.#reasonOf(id);
        const result = {
          id,
          hostId,
          outcome: 'expired',
          reason,
          executable: '',
          at: now(),
          children: -1,
          facts: {},
        } as const;
        const value = encodeSigned('Result', result, key);
        return { topic: TOPIC.answers, key: hostId, value };
      }),
    );
    for (const { id } of due) this.#expired.set(id, at);
  }

  #reasonOf(id: string): string {
    if (this.#routed.has(id)) return 'it expired before its agent answered';
    if (this.#isBlind) return 'it expired while the leases of agents could not be looked up';
    return 'it expired before its agent was attached to any responder';
  }

  /** A command expires only after the grace period in which its agent still reports what it did. */
  #isExpired({ expiresAt }: OpenCommand): boolean {
    return this.#deps.now() > expiresAt + this.#deps.options.answerGraceMs * 1000;
  }

  #isDue(id: string, owner: string): boolean {
    const routed = this.#routed.get(id);
    return routed?.owner !== owner || performance.now() - routed.at > ADD_AGAIN_MS;
  }

  #forget(open: ReadonlySet<string>): void {
    for (const map of [this.#routed, this.#expired]) for (const id of map.keys()) if (!open.has(id)) map.delete(id);
  }
}
