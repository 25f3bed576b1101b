import type { Duplex } from 'node:stream';
import { defined, OperatorError } from '@ringfence/base';

/** What is handed over: something JSON can say, and bytes. */
export interface Parcel {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

/** What the other side may ask for, by name; nothing else is answered. */
export type Handlers = Readonly<Record<string, (parcel: Parcel) => Promise<unknown> | unknown>>;

/** Longest frame: a spool's batches at once (4 MiB and one more), with room. */
const FRAME_MAX = 16 << 20;
const LENGTHS = 8;
const NONE = new Uint8Array();

interface Head {
  /** of a call, and of its answer */
  readonly id: number;
  /** what is asked for; undefined: an answer */
  readonly ask?: string;
  readonly value?: unknown;
  readonly failed?: { readonly message: string; readonly code?: unknown; readonly fate?: unknown };
}

interface Waiting {
  readonly resolve: (parcel: Parcel) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Calls between two processes, both ways, answered as each is done.
 *
 *   ┌ u32 LE ──────────────┬ u32 LE ─────────┬─────────────┬────────────┐
 *   │ bytes after this one │ bytes of JSON   │ JSON: Head  │ bytes      │
 *   └──────────────────────┴─────────────────┴─────────────┴────────────┘
 */
export class Channel {
  /** Rejects when the other side has gone, or doesn't keep to the form. Never resolves. */
  readonly gone: Promise<never>;
  readonly #stream: Duplex;
  readonly #handlers: Handlers;
  readonly #waiting = new Map<number, Waiting>();
  readonly #lost: (error: Error) => void;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #lastId = 0;
  #end: Error | null = null;

  constructor(stream: Duplex, handlers: Handlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    const { promise, reject } = Promise.withResolvers<never>();
    this.gone = promise;
    this.gone.catch(() => {});
    this.#lost = reject;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    const ended = (cause?: Error): void =>
      this.#fail(new OperatorError('the other process of this ringfence has ended', { cause }));
    stream.on('error', ended);
    stream.on('close', () => ended());
  }

  /** Rejects with what the other side threw: its message, `code` and `fate`. */
  call(ask: string, value: unknown = null, bytes: Uint8Array = NONE): Promise<Parcel> {
    if (this.#end !== null) return Promise.reject(this.#end);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Parcel>();
    this.#waiting.set(id, { resolve, reject });
    this.#send({ id, ask, value }, bytes);
    return promise;
  }

  #send(head: Head, bytes: Uint8Array): void {
    const json = Buffer.from(JSON.stringify(head));
    const lengths = Buffer.alloc(LENGTHS);
    lengths.writeUInt32LE(4 + json.length + bytes.length, 0);
    lengths.writeUInt32LE(json.length, 4);
    this.#stream.cork();
    this.#stream.write(lengths);
    this.#stream.write(json);
    this.#stream.write(bytes);
    this.#stream.uncork();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    while (this.#end === null && this.#receivedBytes >= LENGTHS) {
      const [first] = this.#received;
      // One buffer of it all only once a frame is whole, or copying would grow with the square of its length.
      const start = first !== undefined && first.length >= LENGTHS ? first : this.#joined();
      const length = start.readUInt32LE(0);
      if (length < 4 || length > FRAME_MAX) this.#fail(new OperatorError(`a frame of ${length} bytes`));
      if (this.#end !== null || this.#receivedBytes < 4 + length) return;
      const all = this.#joined();
      const frame = all.subarray(4, 4 + length);
      this.#received = [all.subarray(4 + length)];
      this.#receivedBytes -= 4 + length;
      this.#open(frame);
    }
  }

  #joined(): Buffer {
    const all = Buffer.concat(this.#received);
    this.#received = [all];
    return all;
  }

  #open(frame: Buffer): void {
    const json = frame.readUInt32LE(0);
    try {
      if (json > frame.length - 4) throw new RangeError(`${json} bytes of JSON in ${frame.length}`);
      const head = headOf(JSON.parse(frame.toString('utf8', 4, 4 + json)));
      const parcel = { value: head.value ?? null, bytes: frame.subarray(4 + json) };
      if (head.ask !== undefined) void this.#answer(head.id, head.ask, parcel);
      else this.#settle(head, parcel);
    } catch (cause) {
      this.#fail(new OperatorError('a frame that can not be read', { cause }));
    }
  }

  #settle({ id, failed }: Head, parcel: Parcel): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failed === undefined) waiting?.resolve(parcel);
    else waiting?.reject(Object.assign(new Error(String(failed.message)), facts(failed)));
  }

  async #answer(id: number, ask: string, parcel: Parcel): Promise<void> {
    try {
      const handler = Object.hasOwn(this.#handlers, ask) ? this.#handlers[ask] : undefined;
      if (handler === undefined) throw new OperatorError(`nobody answers to ${ask}`);
      const result = await handler(parcel);
      const bytes = result instanceof Uint8Array;
      this.#send({ id, value: bytes ? null : result }, bytes ? result : NONE);
    } catch (error) {
      const { message } = error as Error;
      this.#send({ id, failed: { message, ...facts(error as { code?: unknown; fate?: unknown }) } }, NONE);
    }
  }

  #fail(error: Error): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#stream.destroy();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#lost(error);
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#fail(new OperatorError('the connection is closed'));
  }
}

function headOf(value: unknown): Head {
  const head = value as Head | null;
  const sound = typeof head === 'object' && head !== null && Number.isSafeInteger(head.id);
  if (!sound || (head.ask !== undefined && typeof head.ask !== 'string')) throw new TypeError('no head of a frame');
  return head;
}

/** What decides on the fate of an error. */
function facts({ code, fate }: { code?: unknown; fate?: unknown }): { code?: unknown; fate?: unknown } {
  return defined({ code, fate });
}
