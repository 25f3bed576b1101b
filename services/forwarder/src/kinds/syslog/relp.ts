import type { Socket } from 'node:net';
import { VERSION, withDeadline } from '@ringfence/base';
import { type Endpoint, openSocket, type SyslogTransport, unavailable } from './transport.ts';

/** Highest transaction number of RELP. */
const TXNR_MAX = 999_999_999;
/** Messages without an answer that may be on their way. */
const WINDOW = 128;
/** A response is a code and a short text. */
const RESPONSE_MAX_BYTES = 64 * 1024;
const RESPONSE = /^(\d{1,9}) rsp (\d{1,9})(?: |\n)/;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The Reliable Event Logging Protocol, version 0: the server confirms each message once it has it. */
export class RelpTransport implements SyslogTransport {
  readonly #endpoint: Endpoint;
  readonly #encrypted: boolean;
  #session: RelpSession | null = null;

  constructor(endpoint: Endpoint, encrypted: boolean) {
    this.#endpoint = endpoint;
    this.#encrypted = encrypted;
  }

  async send(messages: readonly string[], signal: AbortSignal): Promise<void> {
    const { timeoutMs, url } = this.#endpoint;
    const deadline = <T>(work: Promise<T>): Promise<T> =>
      withDeadline(work, timeoutMs, () => new Error(`${url} confirmed nothing for ${timeoutMs} ms`));
    try {
      this.#session ??= await RelpSession.open(await openSocket(this.#endpoint, this.#encrypted, signal), deadline);
      for (let at = 0; at < messages.length; at += WINDOW) {
        const window = messages.slice(at, at + WINDOW).map((message) => this.#session!.command('syslog', message));
        await deadline(Promise.all(window));
      }
    } catch (error) {
      this.#session?.destroy();
      this.#session = null;
      throw unavailable(this.#endpoint, error);
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.end();
  }
}

class RelpSession {
  readonly #socket: Socket;
  readonly #waiting: Map<number, Waiting> = new Map();
  #received: Buffer = Buffer.alloc(0);
  #last = 0;

  static async open(socket: Socket, deadline: <T>(work: Promise<T>) => Promise<T>): Promise<RelpSession> {
    const session = new RelpSession(socket);
    const offer = `relp_version=0\nrelp_software=ringfence,${VERSION}\ncommands=syslog`;
    try {
      await deadline(session.command('open', offer));
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Resolves when the server has confirmed the command with code 200. */
  command(name: string, data: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const number = (this.#last % TXNR_MAX) + 1;
    this.#last = number;
    this.#waiting.set(number, { resolve, reject });
    // The caller awaits all commands of a window together; until then one must not be unhandled.
    promise.catch(() => {});
    if (this.#socket.destroyed) this.#fail(new Error('the server closed the connection'));
    else this.#socket.write(`${number} ${name} ${Buffer.byteLength(data)}${data === '' ? '' : ` ${data}`}\n`);
    return promise;
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const head = this.#received.subarray(0, 32).toString('latin1');
      const match = RESPONSE.exec(head);
      if (match === null) {
        // The server announces its end by a hint with number 0.
        if (head.length >= 32 || head.startsWith('0 serverclose')) this.#fail(new Error('the server ends the session'));
        return;
      }
      const length = Number(match[2]);
      if (length > RESPONSE_MAX_BYTES) {
        this.#fail(new Error(`a response of ${length} bytes`));
        return;
      }
      const start = length === 0 ? match[0].length - 1 : match[0].length;
      if (this.#received.length < start + length + 1) return;
      const text = this.#received.subarray(start, start + length).toString('utf8');
      this.#received = this.#received.subarray(start + length + 1);
      this.#answer(Number(match[1]), text);
    }
  }

  #answer(number: number, text: string): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (text.startsWith('200')) waiting?.resolve();
    else waiting?.reject(new Error(`the server refused: ${text.slice(0, 200).replaceAll(/\p{Cc}+/gu, ' ')}`));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Tells the server that nothing follows, and closes. */
  async end(): Promise<void> {
    if (this.#socket.destroyed) return;
    const number = (this.#last % TXNR_MAX) + 1;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(`${number} close 0\n`);
      setTimeout(() => this.#socket.destroy(), 1000).unref();
    });
  }
}
