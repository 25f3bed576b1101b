import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, type Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { TOPIC } from '@ringfence/wire';
import { SpoolError } from '../errors.ts';
import type { SignedBatch } from './batch.ts';
import { Spool } from './spool.ts';

const DRAIN_BYTES = 4 << 20;
const RETRY: Backoff = { firstMs: 50, maxMs: 2000, jitter: false };
const DISK_RETRY_MS = 200;
/** Short, because the rings fill while the brokers are awaited, and the spool can take the batches. */
const PRODUCE_DEADLINE_MS = 2000;

export interface OutboxOptions {
  readonly bus: Pick<Bus, 'produce'>;
  readonly hostId: string;
  /** Directory of the spool; created when missing */
  readonly spoolPath: string;
  /** Maximum size of the spool */
  readonly spoolMaxBytes: number;
  readonly log: Log;
  /** Monotonic clock, ms. @default performance.now */
  readonly now?: () => number;
}

export interface OutboxStats {
  /** Batches that were sent or spooled since the start */
  readonly batches: number;
  /** Their events */
  readonly events: number;
  /** Their size */
  readonly bytes: number;
  /** Number of times that the bus refused batches */
  readonly refusals: number;
  readonly spool: {
    readonly bytes: number;
    readonly batches: number;
    readonly droppedBatches: number;
    /** Bytes cut off torn or damaged segments */
    readonly cutBytes: number;
  };
}

/** Events of a lane, by what became of them. */
export interface OutboxFlow {
  /** On the bus */
  readonly delivered: number;
  /** In the spool */
  readonly waiting: number;
  /** Lost, because the spool was full or damaged */
  readonly dropped: number;
}

/** Opens the spool with the batches that wait in it. Throws SpoolError when its directory cannot be used. */
export function openOutbox(options: OutboxOptions): Outbox {
  return new Outbox(options, new Spool(options.spoolPath, options.spoolMaxBytes));
}

/**
 * Sends batches to the bus, or to the spool while the bus takes none. Keeps their order: while the spool holds a
 * batch, new batches are appended to it.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #spool: Spool;
  readonly #now: () => number;
  #batches = 0;
  #events = 0;
  #bytes = 0;
  #refusals = 0;
  /** Events that reached the bus without the spool, by lane */
  readonly #direct = new Map<number, number>();
  /** Refusals since the bus last took a batch */
  #failures = 0;
  #retryAt = 0;
  #waitsForDisk = true;

  constructor(options: OutboxOptions, spool: Spool) {
    this.#options = options;
    this.#spool = spool;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Whether batches wait in the spool. */
  get isSpooling(): boolean {
    return !this.#spool.isEmpty;
  }

  /** ms until `drain` tries the bus again; Infinity when no batch waits. */
  get retryInMs(): number {
    return this.isSpooling ? Math.max(0, this.#retryAt - this.#now()) : Number.POSITIVE_INFINITY;
  }

  /**
   * Resolves when the batches are on the bus or in the spool. Waits while the bus is away and the disk is full. Rejects
   * with SpoolError, and with the bus's error unless it means "full" or is retriable.
   */
  async send(batches: readonly SignedBatch[]): Promise<void> {
    let remaining = batches;
    for (let attempt = 0; remaining.length > 0; attempt++) {
      if (attempt > 0) await this.#awaitRoom();
      if (this.isSpooling || !(await this.#produce(remaining.map(({ bytes }) => bytes))))
        remaining = this.#spoolBatches(remaining, attempt === 0);
      else {
        this.#countDirect(remaining);
        remaining = [];
      }
    }
    this.#count(batches);
  }

  /** Returns the batches that the disk has no room for. */
  #spoolBatches(batches: readonly SignedBatch[], isFirstAttempt: boolean): readonly SignedBatch[] {
    for (const [index, { batchClass, bytes, tally }] of batches.entries()) {
      try {
        this.#spool.append(batchClass, bytes, tally);
      } catch (error) {
        if (!isDiskFull(error) || !this.#waitsForDisk) throw error;
        if (isFirstAttempt)
          this.#options.log.error({ err: error }, "the disk is full: events wait in the kernel's rings");
        return batches.slice(index);
      }
    }
    return [];
  }

  /** Waits before the disk is tried again. Drains meanwhile: the bus may be back first. */
  async #awaitRoom(): Promise<void> {
    await sleep(DISK_RETRY_MS);
    await this.drain();
  }

  #countDirect(batches: readonly SignedBatch[]): void {
    for (const { tally } of batches)
      for (const [lane, , events] of tally) this.#direct.set(lane, (this.#direct.get(lane) ?? 0) + events);
  }

  #count(batches: readonly SignedBatch[]): void {
    this.#batches += batches.length;
    for (const { events, bytes } of batches) {
      this.#events += events;
      this.#bytes += bytes.length;
    }
  }

  /**
   * Sends the oldest spooled batches, up to 4 MiB, unless the backoff still runs. No more at once: the rings must be
   * read in between, or they overflow.
   */
  async drain(): Promise<void> {
    if (!this.isSpooling || this.retryInMs > 0) return;
    const { upTo, batches } = this.#spool.peek(DRAIN_BYTES);
    if (!(await this.#produce(batches))) return;
    this.#spool.markDelivered(upTo);
    if (this.#spool.isEmpty) this.#options.log.info({}, 'the bus accepts batches again: the spool is empty');
  }

  /** Returns false when the bus is full or away. */
  async #produce(batches: readonly Buffer[]): Promise<boolean> {
    const { bus, hostId, log } = this.#options;
    try {
      const records = batches.map((value) => ({ topic: TOPIC.raw, key: hostId, value }));
      await bus.produce(records, PRODUCE_DEADLINE_MS);
      this.#failures = 0;
      return true;
    } catch (error) {
      if (!isTemporary(error)) throw error;
      if (this.#failures === 0) log.warn({ err: error }, 'the bus accepts no batches: they wait in the spool');
      this.#refusals++;
      this.#retryAt = this.#now() + backoffMs(this.#failures++, RETRY);
      return false;
    }
  }

  /** Makes `send` reject on a full disk instead of waiting, so that a stop is not held up. */
  stopWaiting(): void {
    this.#waitsForDisk = false;
  }

  /** Resets the counters of dropped events at the start of a new run. */
  beginRun(): void {
    this.#spool.beginRun();
  }

  /** Returns the events of a lane and CPU that were lost since the run began. */
  dropped(lane: number, cpu: number): number {
    return this.#spool.dropped(lane, cpu);
  }

  flow(lane: number): OutboxFlow {
    const { waiting, delivered, dropped } = this.#spool.flow(lane);
    return { delivered: (this.#direct.get(lane) ?? 0) + delivered, waiting, dropped };
  }

  stats(): OutboxStats {
    const { bytes, batches, droppedBatches, cutBytes } = this.#spool;
    return {
      batches: this.#batches,
      events: this.#events,
      bytes: this.#bytes,
      refusals: this.#refusals,
      spool: { bytes, batches, droppedBatches, cutBytes },
    };
  }

  /** Closes the spool's files; waiting batches stay for the next start. */
  close(): void {
    this.#spool.close();
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof SpoolError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC';
}

function isTemporary(error: unknown): boolean {
  const { code, fate } = error as { code?: unknown; fate?: unknown };
  return code === 'ERR_BUS_FULL' || fate === 'retriable';
}
