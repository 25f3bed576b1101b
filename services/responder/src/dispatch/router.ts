import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { Coordination, Holder } from '@ringfence/coordination';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import type { CompiledResponderOptions } from '../config.ts';
import type { ResponderMetrics } from '../metrics.ts';
import type { Commanded, Memory } from '../steps/memory.ts';
import { Complaint } from './complaint.ts';
import { leaseOf, queueOf } from './names.ts';

export interface RouterDeps {
  readonly coordination: Coordination;
  readonly bus: Pick<Bus, 'produce'>;
  /** signs what becomes of commands */
  readonly key: SigningKey;
  readonly options: CompiledResponderOptions;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** this responder's own, to be counted */
  readonly queue: string;
  /** µs since the epoch */
  readonly now: () => number;
}

/** More than any command's time gives room for: what ends a job is its end, not its failures. */
const ATTEMPTS = 1000;
const BACKOFF_MS = 250;
/** Holders asked for in one call. */
const ASK = 1000;
const ADD = 100;
/** A job is added again after so long: it may have been flushed away. When it is there, that does nothing. */
const ADD_AGAIN_MS = 3000;
const SAY_AGAIN_MS = 10_000;

type Open = readonly [id: string, entry: Commanded & { readonly command: string }];

/**
 * Brings every open command of our partitions to the responder that holds its agent's stream: a job in that one's queue. Again and again until the
 * command is answered: an agent may attach elsewhere, jobs may be flushed away. A command whose time is over is answered here: it has expired.
 */
export class Router {
  readonly #deps: RouterDeps;
  readonly #memories = new Map<number, Memory>();
  readonly #routed = new Map<string, { readonly owner: string; readonly at: number }>();
  /** when it was last said that it has expired; ms, monotonic */
  readonly #closed = new Map<string, number>();
  readonly #stop = new AbortController();
  /** the last look failed: where agents are attached is not known */
  #blind = false;
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

  /** There may be something to route. */
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
    const complaint = new Complaint();
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#routeAll();
        metrics.queue = await coordination.counts(queue);
        complaint.well();
        this.#blind = false;
      } catch (err) {
        this.#blind = true;
        metrics.failed('routing');
        complaint.fail(() => log.warn({ err }, 'commands can not be routed; they are routed again'));
      }
      await sleep(options.routeAgainMs, undefined, { signal: this.#wake.signal }).catch(() => {});
    }
  }

  async #routeAll(): Promise<void> {
    const open = this.#open();
    this.#deps.metrics.open = open.length;
    this.#forget(new Set(open.map(([id]) => id)));
    const over = open.filter(([, entry]) => this.#isOver(entry));
    if (over.length > 0) await this.#expire(over);
    const due = open.filter(([, entry]) => !this.#isOver(entry));
    let unheld = 0;
    for (let i = 0; i < due.length; i += ASK) {
      const some = due.slice(i, i + ASK);
      const holders = await this.#deps.coordination.holders(some.map(([, { hostId }]) => leaseOf(hostId)));
      unheld += holders.filter((holder) => holder === null).length;
      await this.#routeSome(some, holders);
    }
    this.#deps.metrics.unheld = unheld;
  }

  async #routeSome(open: readonly Open[], holders: readonly (Holder | null)[]): Promise<void> {
    const jobs = open.flatMap((one, i) => {
      const owner = holders[i]?.owner;
      return owner !== undefined && this.#isDue(one[0], owner) ? [{ one, owner }] : [];
    });
    for (let i = 0; i < jobs.length; i += ADD)
      await Promise.all(jobs.slice(i, i + ADD).map(({ one, owner }) => this.#route(one, owner)));
  }

  async #route([id, { command, expiresAt }]: Open, owner: string): Promise<void> {
    const { coordination, options, metrics, now } = this.#deps;
    // The agent is asked beyond the end too: it carries nothing out then, but tells what it had done before.
    const leftMs = Math.ceil((expiresAt - now()) / 1000) + options.answerGraceMs / 2;
    await coordination.add({
      id,
      queue: queueOf(owner),
      payload: Buffer.from(command, 'base64'),
      attempts: ATTEMPTS,
      backoffMs: BACKOFF_MS,
      expiresAt: Math.round(Date.now() + leftMs),
    });
    if (this.#routed.get(id)?.owner !== owner) metrics.routed++;
    this.#routed.set(id, { owner, at: performance.now() });
  }

  async #expire(over: readonly Open[]): Promise<void> {
    const { bus, key, now } = this.#deps;
    const at = performance.now();
    const due = over.filter(([id]) => at - (this.#closed.get(id) ?? Number.NEGATIVE_INFINITY) > SAY_AGAIN_MS);
    if (due.length === 0) return;
    await bus.produce(
      due.map(([id, { hostId }]) => {
        const reason = this.#reasonOf(id);
        const expired = { id, hostId, outcome: 'expired', reason, executable: '', at: now() } as const;
        const value = encodeSigned('Result', expired, key);
        return { topic: TOPIC.answers, key: hostId, value };
      }),
    );
    for (const [id] of due) this.#closed.set(id, at);
  }

  #reasonOf(id: string): string {
    if (this.#routed.has(id)) return 'it expired before an answer to it came';
    if (this.#blind) return 'it expired while nobody could say where its agent was attached';
    return 'it expired before its agent was attached to any responder';
  }

  #open(): Open[] {
    return [...this.#memories.values()].flatMap(({ commands }) =>
      [...commands.entries()].filter((one): one is [string, Open[1]] => one[1].command !== null),
    );
  }

  #isOver({ expiresAt }: Commanded): boolean {
    return this.#deps.now() > expiresAt + this.#deps.options.answerGraceMs * 1000;
  }

  #isDue(id: string, owner: string): boolean {
    const routed = this.#routed.get(id);
    return routed?.owner !== owner || performance.now() - routed.at > ADD_AGAIN_MS;
  }

  #forget(open: ReadonlySet<string>): void {
    for (const map of [this.#routed, this.#closed]) for (const id of map.keys()) if (!open.has(id)) map.delete(id);
  }
}
