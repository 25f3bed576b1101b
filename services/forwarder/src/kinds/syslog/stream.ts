import type { Socket } from 'node:net';
import { withDeadline } from '@ringfence/base';
import { type Endpoint, openSocket, type SyslogTransport, unavailable } from './transport.ts';

/**
 * A server that dies has not read everything that its kernel has confirmed. What was sent so long before the
 * connection broke is sent again.
 */
const RESEND_MS = 10_000;
const RESEND_MAX_BYTES = 16 * 2 ** 20;

interface Sent {
  readonly at: number;
  readonly bytes: Buffer;
}

/**
 * Octet-counted messages (RFC 6587, RFC 5425) over TCP or TLS. The protocol has no confirmation, so that messages of
 * the last seconds are sent again on a new connection: the server gets them twice rather than never.
 */
export class StreamTransport implements SyslogTransport {
  readonly #endpoint: Endpoint;
  readonly #encrypted: boolean;
  #socket: Socket | null = null;
  #recent: Sent[] = [];

  constructor(endpoint: Endpoint, encrypted: boolean) {
    this.#endpoint = endpoint;
    this.#encrypted = encrypted;
  }

  async send(messages: readonly string[], signal: AbortSignal): Promise<void> {
    const bytes = Buffer.concat(messages.map(frame));
    if (this.#socket === null) {
      const repeated = this.#recent.filter(({ at }) => performance.now() - at < RESEND_MS);
      this.#socket = await this.#connect(signal);
      await this.#write(Buffer.concat(repeated.map((sent) => sent.bytes)));
    }
    await this.#write(bytes);
    this.#remember(bytes);
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const socket = await openSocket(this.#endpoint, this.#encrypted, signal);
    const drop = (): void => {
      if (this.#socket === socket) this.#socket = null;
      socket.destroy();
    };
    // `close` follows each of them. A server that ends the connection reads no more.
    socket.on('error', drop).on('end', drop).on('close', drop).resume();
    return socket;
  }

  async #write(bytes: Buffer): Promise<void> {
    const socket = this.#socket;
    const { timeoutMs, url } = this.#endpoint;
    try {
      if (socket === null || socket.destroyed) throw new Error('the server closed the connection');
      if (bytes.length === 0) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const closed = (): void => reject(new Error('the server closed the connection'));
      socket.once('close', closed);
      socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      await withDeadline(promise, timeoutMs, () => new Error(`${url} took no data for ${timeoutMs} ms`)).finally(() =>
        socket.off('close', closed),
      );
    } catch (error) {
      socket?.destroy();
      this.#socket = null;
      throw unavailable(this.#endpoint, error);
    }
  }

  #remember(bytes: Buffer): void {
    const now = performance.now();
    this.#recent = [...this.#recent.filter(({ at }) => now - at < RESEND_MS), { at: now, bytes }];
    let size = this.#recent.reduce((sum, sent) => sum + sent.bytes.length, 0);
    while (size > RESEND_MAX_BYTES && this.#recent.length > 1) size -= this.#recent.shift()!.bytes.length;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end(() => socket.destroySoon());
      setTimeout(() => socket.destroy(), 1000).unref();
    });
  }
}

/** Octet counting: the length in bytes, a space, the message. */
function frame(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}
