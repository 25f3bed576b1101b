import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { disposed } from './errors.ts';
import { duplicate } from './native/descriptor.ts';
import { pageSize } from './native/library.ts';
import { Mapping } from './native/mapping.ts';
import { type PollOptions, pollRing } from './ring-poll.ts';
import { RingReader } from './ring-reader.ts';

/** Milliseconds between two checks of a ring that cannot be polled (see {@link RingBuffer.wait}). */
const RECHECK_MS = 5;
/** Milliseconds to wait for a record that is being written. Checking without a pause would block the event loop. */
const BUSY_MS = 1;

export interface RingSource {
  readonly fd: number;
  readonly name: string;
  readonly maxEntries: number;
}

export interface RingOptions {
  /**
   * Size limit of records in bytes. This much of the ring's beginning is mapped again after its end, for records that
   * wrap around; each mapped page counts as resident memory. @default size of the ring
   */
  readonly recordMaxBytes?: number;
}

/** A ring buffer mapped into memory. Use one reader at a time, because the consumer position belongs to the ring. */
export class RingBuffer extends RingReader implements Disposable {
  readonly #name: string;
  /** duplicate of the map's descriptor, so that a wait never polls a number that was closed and reused */
  readonly #fd: number;
  readonly #pages: DisposableStack;
  readonly #waiting = new Set<() => void>();
  /** created by the first wait and restarted by later waits, which takes half the system calls of creating another */
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  /** true while a wait uses the poll: libuv accepts a descriptor only once, so concurrent waits use a timer */
  #pollInUse = false;
  #closed = false;

  private constructor(
    name: string,
    fd: number,
    size: number,
    pages: DisposableStack,
    consumer: Mapping,
    producer: Mapping,
  ) {
    super(consumer.buffer, producer.buffer, pageSize(), size);
    this.#name = name;
    this.#fd = fd;
    this.#pages = pages;
  }

  /** Prefer `map.ringBuffer()`. */
  static map({ fd, name, maxEntries }: RingSource, { recordMaxBytes = maxEntries }: RingOptions = {}): RingBuffer {
    using pages = new DisposableStack();
    const page = pageSize();
    const ringFd = pages.adopt(duplicate(fd, `ring '${name}'`), closeSync);
    const consumer = pages.use(new Mapping(ringFd, `the consumer page of '${name}'`, { length: page, writable: true }));
    const wrapBytes = Math.min(maxEntries, Math.ceil(recordMaxBytes / page) * page);
    const length = page + maxEntries + wrapBytes;
    const producer = pages.use(new Mapping(ringFd, `the data of '${name}'`, { length, offset: page, writable: false }));
    return new RingBuffer(name, ringFd, maxEntries, pages.move(), consumer, producer);
  }

  /**
   * Resolves to true once there is a record behind the cursor, and to false after `timeoutMs`, on abort and on dispose.
   * It blocks no thread.
   *
   * The kernel wakes a waiting reader if the BPF program requests it (BPF_RB_FORCE_WAKEUP), or if the reader had
   * released all records. While there are unreleased records, the kernel always reports the ring as readable, so wait
   * checks the ring every 5 ms instead.
   */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#closed) return Promise.reject(disposed(`the ring buffer '${this.#name}'`));
    if (this.pendingBytes() > 0) return this.busy ? sleep(BUSY_MS, true) : Promise.resolve(true);
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => this.#watch(timeoutMs, signal, resolve));
  }

  /** Ends all current waits. Like an abort, but cheaper than dispatching an event. */
  endWaits(): void {
    for (const finish of this.#waiting) finish();
  }

  #watch(timeoutMs: number, signal: AbortSignal | undefined, resolve: (hasRecords: boolean) => void): void {
    const usesPoll = this.unreleasedBytes() === 0 && !this.#pollInUse;
    let recheck: NodeJS.Timeout | undefined;
    const finish = (): void => {
      if (!this.#waiting.delete(finish)) return;
      clearTimeout(timer);
      clearInterval(recheck);
      signal?.removeEventListener('abort', finish);
      if (usesPoll) this.#poll?.stop();
      if (usesPoll) this.#pollInUse = false;
      resolve(!this.#closed && this.pendingBytes() > 0);
    };
    this.#waiting.add(finish);
    const timer = setTimeout(finish, timeoutMs);
    signal?.addEventListener('abort', finish);
    if (!usesPoll) recheck = setInterval(() => this.pendingBytes() > 0 && finish(), RECHECK_MS);
    else if (this.#poll === undefined) this.#poll = koffi.node.poll(this.#fd, { readable: true }, finish);
    else this.#poll.start({ readable: true }, finish);
    this.#pollInUse ||= usesPoll;
  }

  /**
   * Yields batches until abort or dispose: `for await (const batch of ring.poll()) while (batch.next()) …`. The records
   * are released after the loop's body. If the body breaks or throws, the next reader gets the records again.
   */
  poll(options: PollOptions = {}): AsyncGenerator<this, void, void> {
    return pollRing(this, () => this.#closed, options);
  }

  /** Ends all waits, then unmaps the pages. Unreleased records stay in the ring for the next reader. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.endWaits();
    this.#poll?.close();
    this.#pages.dispose();
  }
}
