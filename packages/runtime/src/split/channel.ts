import type { Duplex } from 'node:stream';
import { defined, messageOf, OperatorError } from '@ringfence/base';

/** Argument or result of a call: a JSON value and bytes. */
export interface Payload {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

/** Methods that the peer may call, by name. */
export type Handlers = Readonly<Record<string, (payload: Payload) => Promise<unknown> | unknown>>;

/** Longest frame: the batches that a spool sends at once (4 MiB and one more), with room. */
const FRAME_MAX_BYTES = 16 << 20;
const LENGTHS_BYTES = 8;
const NO_BYTES = new Uint8Array();

interface Head {
  /** Number of the call, repeated in its answer. */
  readonly id: number;
  /** Undefined in an answer. */
  readonly method?: string;
  readonly value?: unknown;
  readonly failure?: Failure;
}

interface Failure extends ErrorClass {
  readonly message: string;
}

/** The properties of an error that callers act on. */
interface ErrorClass {
  readonly code?: unknown;
  readonly fate?: unknown;
}

interface PendingCall {
  readonly resolve: (payload: Payload) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Calls between the two processes of an `up`, in both directions; answers come in any order.
 *
 *   ┌ u32 LE ──────────────┬ u32 LE ─────────┬─────────────┬────────────┐
 *   │ bytes after this     │ bytes of JSON   │ JSON: Head  │ bytes      │
 *   └──────────────────────┴─────────────────┴─────────────┴────────────┘
 *
 * Not Node's IPC or gRPC: the services' process receives its end by execve, which Node's IPC can't hand on, and the
 * process with capabilities reads only frames of limited length from it, without an HTTP/2 stack in its memory.
 */
export class Channel {
  /** Rejects when the peer has ended, or has sent an invalid frame. Never resolves. */
  readonly ended: Promise<never>;
  readonly #stream: Duplex;
  readonly #handlers: Handlers;
  readonly #pending = new Map<number, PendingCall>();
  readonly #rejectEnded: (error: Error) => void;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #lastId = 0;
  #failure: Error | null = null;

  constructor(stream: Duplex, handlers: Handlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    const { promise, reject } = Promise.withResolvers<never>();
    this.ended = promise;
    this.ended.catch(() => {});
    this.#rejectEnded = reject;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    const onEnd = (cause?: Error): void =>
      this.#fail(new OperatorError('the other process of this ringfence has ended', { cause }));
    stream.on('error', onEnd);
    stream.on('close', () => onEnd());
  }

  /** Rejects with the error that the peer threw: its message, `code` and `fate`. */
  call(method: string, value: unknown = null, bytes: Uint8Array = NO_BYTES): Promise<Payload> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Payload>();
    this.#pending.set(id, { resolve, reject });
    this.#send({ id, method, value }, bytes);
    return promise;
  }

  #send(head: Head, bytes: Uint8Array): void {
    const json = Buffer.from(JSON.stringify(head));
    const lengths = Buffer.alloc(LENGTHS_BYTES);
    lengths.writeUInt32LE(4 + json.length + bytes.length, 0);
    lengths.writeUInt32LE(json.length, 4);
    this.#stream.cork();
    this.#stream.write(lengths);
    this.#stream.write(json);
    this.#stream.write(bytes);
    this.#stream.uncork();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    while (this.#failure === null && this.#receivedBytes >= LENGTHS_BYTES) {
      const [first] = this.#received;
      // Chunks are joined only when a frame is complete: copying at each chunk would be quadratic in its length.
      const start = first !== undefined && first.length >= LENGTHS_BYTES ? first : this.#joinReceived();
      const length = start.readUInt32LE(0);
      if (length < 4 || length > FRAME_MAX_BYTES)
        this.#fail(new OperatorError(`invalid frame: a length of ${length} bytes`));
      if (this.#failure !== null || this.#receivedBytes < 4 + length) return;
      const joined = this.#joinReceived();
      const frame = joined.subarray(4, 4 + length);
      this.#received = [joined.subarray(4 + length)];
      this.#receivedBytes -= 4 + length;
      this.#dispatch(frame);
    }
  }

  #joinReceived(): Buffer {
    const joined = Buffer.concat(this.#received);
    this.#received = [joined];
    return joined;
  }

  #dispatch(frame: Buffer): void {
    const jsonBytes = frame.readUInt32LE(0);
    try {
      if (jsonBytes > frame.length - 4) throw new RangeError(`${jsonBytes} bytes of JSON in ${frame.length}`);
      const head = parseHead(JSON.parse(frame.toString('utf8', 4, 4 + jsonBytes)));
      const payload = { value: head.value ?? null, bytes: frame.subarray(4 + jsonBytes) };
      if (head.method !== undefined) void this.#answer(head.id, head.method, payload);
      else this.#settle(head, payload);
    } catch (cause) {
      this.#fail(new OperatorError('invalid frame: its head cannot be parsed', { cause }));
    }
  }

  #settle({ id, failure }: Head, payload: Payload): void {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    if (failure === undefined) call?.resolve(payload);
    else call?.reject(Object.assign(new Error(failure.message), errorClassOf(failure)));
  }

  async #answer(id: number, method: string, payload: Payload): Promise<void> {
    try {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined;
      if (handler === undefined) throw new OperatorError(`unknown method ${method}`);
      const result = await handler(payload);
      if (result instanceof Uint8Array) this.#send({ id, value: null }, result);
      else this.#send({ id, value: result }, NO_BYTES);
    } catch (error) {
      this.#send(
        { id, failure: { message: messageOf(error), ...errorClassOf(Object(error) as ErrorClass) } },
        NO_BYTES,
      );
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#stream.destroy();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#rejectEnded(error);
  }

  /** Rejects all pending calls. */
  close(): void {
    this.#fail(new OperatorError('the connection is closed'));
  }
}

function parseHead(value: unknown): Head {
  const head = value as Head | null;
  const isValid = typeof head === 'object' && head !== null && Number.isSafeInteger(head.id);
  if (!isValid || (head.method !== undefined && typeof head.method !== 'string') || !isFailure(head.failure))
    throw new TypeError('not the head of a frame');
  return head;
}

/** Checked before the call is looked up: it would else be forgotten without an answer. */
const isFailure = (failure: unknown): boolean =>
  failure === undefined || typeof (failure as Partial<Failure> | null)?.message === 'string';

function errorClassOf({ code, fate }: ErrorClass): ErrorClass {
  return defined({ code, fate });
}
