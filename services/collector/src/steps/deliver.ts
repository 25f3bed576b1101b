import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, type Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import { SpoolError } from '../errors.ts';
import type { Spool } from '../spool/spool.ts';
import type { Finished } from './batch.ts';

const DRAIN_BYTES = 4 << 20;
const RETRY: Backoff = { firstMs: 50, maxMs: 2000, jitter: false };
const DISK_RETRY_MS = 200;
/** How long brokers are waited for: the rings fill meanwhile, and the spool is at hand. */
const OFFER_MS = 2000;

export interface DeliveryOptions {
  readonly bus: Pick<Bus, 'produce'>;
  readonly spool: Spool;
  readonly hostId: string;
  readonly log: Log;
  /** of a clock that never goes back, ms. @default performance.now */
  readonly now?: () => number;
}

/**
 * Brings batches to the bus, or to the spool while the bus takes none. Order is kept: as long as something is in the spool, what is new goes behind it.
 * When `deliver` resolves the batches are safe, and the rings may move on.
 */
export class Delivery {
  batches = 0;
  events = 0;
  bytes = 0;
  /** events that went to the bus and not through the spool, by lane */
  readonly direct: Map<number, number> = new Map();
  /** times that the bus refused */
  refusals = 0;
  readonly #options: DeliveryOptions;
  readonly #now: () => number;
  /** Refusals since the bus last took a batch. */
  #failures = 0;
  #retryAt = 0;
  #givenUp = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** The bus is away: batches wait in the spool. */
  get spooling(): boolean {
    return !this.#options.spool.empty;
  }

  /** ms until the bus is asked again; Infinity: nothing waits */
  get retryInMs(): number {
    return this.spooling ? Math.max(0, this.#retryAt - this.#now()) : Number.POSITIVE_INFINITY;
  }

  /** From now on a full disk is not waited for: what is in the rings stays there for the next start. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /** Rejects with what the bus says when that is neither "full" nor retriable, and with SpoolError. Waits while the disk is full and the bus away. */
  async deliver(batches: readonly Finished[]): Promise<void> {
    let left = batches;
    for (let tries = 0; left.length > 0; tries++) {
      if (tries > 0) await this.#awaitRoom();
      if (this.spooling || !(await this.#produce(left.map(({ bytes }) => bytes))))
        left = this.#spool(left, tries === 0);
      else {
        this.#countDirect(left);
        left = [];
      }
    }
    this.#count(batches);
  }

  /** Returns those that the disk has no room for. They wait in the rings, and those count what they can't hold. */
  #spool(batches: readonly Finished[], first: boolean): readonly Finished[] {
    const { spool, log } = this.#options;
    for (const [index, { kind, bytes, tally }] of batches.entries()) {
      try {
        spool.append(kind, bytes, tally);
      } catch (error) {
        if (!isDiskFull(error) || this.#givenUp) throw error;
        if (first) log.error({ err: error }, 'the disk is full: events wait in the rings of the kernel');
        return batches.slice(index);
      }
    }
    return [];
  }

  /** On the disk, or on the bus, which may be there again first. */
  async #awaitRoom(): Promise<void> {
    await sleep(DISK_RETRY_MS);
    await this.drain();
  }

  #countDirect(batches: readonly Finished[]): void {
    for (const { tally } of batches)
      for (const [lane, , events] of tally) this.direct.set(lane, (this.direct.get(lane) ?? 0) + events);
  }

  #count(batches: readonly Finished[]): void {
    this.batches += batches.length;
    for (const { events, bytes } of batches) {
      this.events += events;
      this.bytes += bytes.length;
    }
  }

  /** Moves a part of what is spooled to the bus when it is time to try. No more at once: the rings are read in between, or they would run over. */
  async drain(): Promise<void> {
    const { spool, log } = this.#options;
    if (!this.spooling || this.retryInMs > 0) return;
    const { upTo, batches } = spool.peek(DRAIN_BYTES);
    if (!(await this.#produce(batches))) return;
    spool.taken(upTo);
    if (spool.empty) log.info({}, 'the bus takes batches again: the spool is empty');
  }

  async #produce(batches: readonly Buffer[]): Promise<boolean> {
    const { bus, hostId, log } = this.#options;
    try {
      const records = batches.map((value) => ({ topic: TOPIC.raw, key: hostId, value }));
      await bus.produce(records, OFFER_MS);
      this.#failures = 0;
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (this.#failures === 0) log.warn({ err: error }, 'the bus takes no batches: they wait in the spool');
      this.refusals++;
      this.#retryAt = this.#now() + backoffMs(this.#failures++, RETRY);
      return false;
    }
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof SpoolError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC';
}

/** Full, or away for a while. */
function isPassing(error: unknown): boolean {
  const { code, fate } = error as { code?: unknown; fate?: unknown };
  return code === 'ERR_BUS_FULL' || fate === 'retriable';
}
