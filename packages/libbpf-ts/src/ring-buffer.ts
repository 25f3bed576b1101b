import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { disposed } from './errors.ts';
import { duplicate } from './native/descriptor.ts';
import { pageSize } from './native/library.ts';
import { Mapping } from './native/mapping.ts';
import { type PollOptions, pollRing } from './ring-poll.ts';
import { RingReader } from './ring-reader.ts';

/** How often a ring is looked at while it can't be waited for (see {@link RingBuffer.wait}), ms. */
const RECHECK_MS = 5;
/** A record that is being written is soon done; asking for it without a pause would hold up everything else, ms. */
const BUSY_MS = 1;

export interface RingSource {
  readonly fd: number;
  readonly name: string;
  readonly maxEntries: number;
}

export interface RingOptions {
  /**
   * No record is longer, bytes. The ring's beginning is mapped a second time behind its end, for records that wrap around; every mapped page counts
   * as resident memory. @default the ring's size
   */
  readonly recordMaxBytes?: number;
}

/** A ring buffer map, mapped. One reader at a time: the consumer position belongs to the ring, not to the reader. */
export class RingBuffer extends RingReader implements Disposable {
  readonly #name: string;
  /** its own, so that a wait never looks at a number that was closed and given to something else */
  readonly #fd: number;
  readonly #pages: DisposableStack;
  readonly #waiting = new Set<() => void>();
  /** made with the first wait: starting it again takes half as many system calls as making another */
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  /** libuv takes a descriptor once: a second wait at the same time looks for itself */
  #polled = false;
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
    const own = pages.adopt(duplicate(fd, `ring '${name}'`), closeSync);
    const consumer = pages.use(new Mapping(own, `the consumer page of '${name}'`, { length: page, writable: true }));
    const again = Math.min(maxEntries, Math.ceil(recordMaxBytes / page) * page);
    const length = page + maxEntries + again;
    const producer = pages.use(new Mapping(own, `the data of '${name}'`, { length, offset: page, writable: false }));
    return new RingBuffer(name, own, maxEntries, pages.move(), consumer, producer);
  }

  /**
   * Resolves true as soon as something is there behind the cursor, false after `timeoutMs`, on abort and on dispose. No thread is held.
   *
   * The kernel wakes a waiting reader when the BPF side asks for it (BPF_RB_FORCE_WAKEUP), or by itself when the reader had released everything.
   * While read records are unreleased it reports the ring as readable always, so the ring is then looked at every 5 ms instead.
   */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#closed) return Promise.reject(disposed(`the ring buffer '${this.#name}'`));
    if (this.pendingBytes() > 0) return this.busy ? sleep(BUSY_MS, true) : Promise.resolve(true);
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => this.#watch(timeoutMs, signal, resolve));
  }

  /** Ends the waits that are going on: what an abort does, for less than an event costs. */
  endWaits(): void {
    for (const finish of this.#waiting) finish();
  }

  #watch(timeoutMs: number, signal: AbortSignal | undefined, resolve: (there: boolean) => void): void {
    const polls = this.unreleasedBytes() === 0 && !this.#polled;
    let recheck: NodeJS.Timeout | undefined;
    const finish = (): void => {
      if (!this.#waiting.delete(finish)) return;
      clearTimeout(timer);
      clearInterval(recheck);
      signal?.removeEventListener('abort', finish);
      if (polls) this.#poll?.stop();
      if (polls) this.#polled = false;
      resolve(!this.#closed && this.pendingBytes() > 0);
    };
    this.#waiting.add(finish);
    const timer = setTimeout(finish, timeoutMs);
    signal?.addEventListener('abort', finish);
    if (!polls) recheck = setInterval(() => this.pendingBytes() > 0 && finish(), RECHECK_MS);
    else if (this.#poll === undefined) this.#poll = koffi.node.poll(this.#fd, { readable: true }, finish);
    else this.#poll.start({ readable: true }, finish);
    this.#polled ||= polls;
  }

  /**
   * Batches for ever: `for await (const batch of ring.poll()) while (batch.next()) …`. When the loop's body is done, what it read is released;
   * when it breaks or throws, nothing is, and the records come again to whoever reads next. Ends on abort and on dispose.
   */
  poll(options: PollOptions = {}): AsyncGenerator<this, void, void> {
    return pollRing(this, () => this.#closed, options);
  }

  /** Ends every wait, then unmaps the pages. Unreleased records stay for the next reader. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.endWaits();
    this.#poll?.close();
    this.#pages.dispose();
  }
}
