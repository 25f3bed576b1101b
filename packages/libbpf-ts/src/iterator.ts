import { closeSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { BpfError, disposed } from './errors.ts';

const readAsync = promisify(read);
const CHUNK = 65_536;
/** Limit on retries. The kernel returns EAGAIN after many objects in a row for which the program wrote nothing. */
const MAX_RETRIES = 10_000;

/** One run of an iterator program: a stream of the bytes that the program writes with bpf_seq_write. */
export class BpfIterator implements Disposable, Iterable<Uint8Array>, AsyncIterable<Uint8Array> {
  readonly #name: string;
  #fd: number;

  /** Prefer `link.iterate()`. @param fd closed on dispose */
  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
  }

  /** Reads into `into` and returns the number of bytes; 0 at the end. */
  read(into: Uint8Array): number {
    for (let retries = 0; ; retries++) {
      try {
        return readSync(this.#live, into);
      } catch (error) {
        this.#retryOrThrow(error, retries);
      }
    }
  }

  /** Returns all bytes. In the stream, by contrast, a record may be split between two chunks. */
  readAll(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.concat([...this]));
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (;;) {
      const chunk = new Uint8Array(CHUNK);
      const length = this.read(chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let retries = 0; ; ) {
      const chunk = new Uint8Array(CHUNK);
      try {
        const { bytesRead } = await readAsync(this.#live, chunk, 0, CHUNK, null);
        if (bytesRead === 0) return;
        retries = 0;
        yield chunk.subarray(0, bytesRead);
      } catch (error) {
        this.#retryOrThrow(error, retries++);
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  get #live(): number {
    if (this.#fd < 0) throw disposed(`the iterator '${this.#name}'`);
    return this.#fd;
  }

  #retryOrThrow(error: unknown, retries: number): void {
    if (error instanceof BpfError) throw error;
    const { code, errno = 0 } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' && retries < MAX_RETRIES) return;
    throw new BpfError('ERR_BPF_ITERATOR', `reading iterator '${this.#name}' failed: ${code}`, {
      operation: 'read',
      errno: Math.abs(errno),
      cause: error,
    });
  }
}
