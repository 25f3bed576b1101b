import koffi from 'koffi';
import { disposed } from './errors.ts';
import { pageSize } from './native/library.ts';
import { Mapping } from './native/mapping.ts';
import { type PollOptions, pollRing } from './ring-poll.ts';
import { RingReader } from './ring-reader.ts';

/** How often a ring is looked at while it can't be waited for (see {@link RingBuffer.wait}), ms. */
const RECHECK_MS = 5;

export interface RingSource {
  readonly fd: number;
  readonly name: string;
  readonly maxEntries: number;
}

/** A ring buffer map, mapped. One reader at a time: the consumer position belongs to the ring, not to the reader. */
export class RingBuffer extends RingReader implements Disposable {
  readonly #source: RingSource;
  readonly #pages: DisposableStack;
  readonly #waiting = new Set<() => void>();
  /** libuv takes a descriptor once: a second wait at the same time looks for itself */
  #polled = false;

  private constructor(source: RingSource, pages: DisposableStack, consumer: Mapping, producer: Mapping) {
    super(consumer.buffer, producer.buffer, pageSize());
    this.#source = source;
    this.#pages = pages;
  }

  /** Prefer `map.ringBuffer()`. */
  static map(source: RingSource): RingBuffer {
    using pages = new DisposableStack();
    const page = pageSize();
    const consumer = pages.use(
      new Mapping(source.fd, `the consumer page of '${source.name}'`, { length: page, writable: true }),
    );
    const length = page + 2 * source.maxEntries;
    const producer = pages.use(
      new Mapping(source.fd, `the data of '${source.name}'`, { length, offset: page, writable: false }),
    );
    return new RingBuffer(source, pages.move(), consumer, producer);
  }

  /**
   * Resolves true as soon as something is there behind the cursor, false after `timeoutMs`, on abort and on dispose. No thread is held.
   *
   * The kernel wakes a waiting reader when the BPF side asks for it (BPF_RB_FORCE_WAKEUP), or by itself when the reader had released everything.
   * While read records are unreleased it reports the ring as readable always, so the ring is then looked at every 5 ms instead.
   */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#pages.disposed) return Promise.reject(disposed(`the ring buffer '${this.#source.name}'`));
    if (this.pendingBytes() > 0) return Promise.resolve(true);
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => this.#watch(timeoutMs, signal, resolve));
  }

  #watch(timeoutMs: number, signal: AbortSignal | undefined, resolve: (there: boolean) => void): void {
    const stack = new DisposableStack();
    const finish = (): void => {
      if (stack.disposed) return;
      stack.dispose();
      resolve(!this.#pages.disposed && this.pendingBytes() > 0);
    };
    this.#waiting.add(finish);
    stack.defer(() => this.#waiting.delete(finish));
    const timer = setTimeout(finish, timeoutMs);
    stack.defer(() => clearTimeout(timer));
    signal?.addEventListener('abort', finish);
    stack.defer(() => signal?.removeEventListener('abort', finish));
    if (this.unreleasedBytes() === 0 && !this.#polled) {
      this.#polled = true;
      const handle = koffi.node.poll(this.#source.fd, { readable: true }, finish);
      stack.defer(() => {
        handle.close();
        this.#polled = false;
      });
    } else {
      const recheck = setInterval(() => this.pendingBytes() > 0 && finish(), RECHECK_MS);
      stack.defer(() => clearInterval(recheck));
    }
  }

  /**
   * Batches for ever: `for await (const batch of ring.poll()) while (batch.next()) …`. When the loop's body is done, what it read is released;
   * when it breaks or throws, nothing is, and the records come again to whoever reads next. Ends on abort and on dispose.
   */
  poll(options: PollOptions = {}): AsyncGenerator<this, void, void> {
    return pollRing(this, () => this.#pages.disposed, options);
  }

  /** Unmaps the pages and ends every wait. Unreleased records stay for the next reader. */
  [Symbol.dispose](): void {
    if (this.#pages.disposed) return;
    this.#pages.dispose();
    for (const finish of this.#waiting) finish();
  }
}
