import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { connect } from 'node:net';
import { backoffMs, type Log, pause } from '@ringfence/base';
import type { SyslogAddress } from './address.ts';
import { type SyslogKind, type SyslogReport, syslogMessage } from './message.ts';

const WAITING_MAX = 64;
/** Bytes that wait in a TCP connection whose server does not read. */
const PENDING_MAX_BYTES = 64 * 1024;
const CONNECT_MAX_MS = 5000;
const BACKOFF = { firstMs: 1000, maxMs: 60_000 };
export interface SyslogStats {
  /** Reports that were handed to the network */
  readonly sent: number;
  readonly waiting: number;
  /** Reports that were dropped because too many waited */
  readonly lost: number;
  /** Failed connections and sends */
  readonly failures: number;
}

export interface SyslogDeps {
  /** What the messages are about */
  readonly kind: SyslogKind;
  readonly hostId: string;
  readonly log: Log;
}

/**
 * Sends messages to a syslog server: over UDP (RFC 5426), or over TCP with octet counting (RFC 6587). Never waits: the
 * last messages are kept while the server can't be reached.
 */
export class SyslogSender implements Disposable {
  readonly #address: SyslogAddress;
  readonly #deps: SyslogDeps;
  readonly #waiting: Buffer[] = [];
  /** Undefined while there is no connection and none is under way. */
  #connection: Connection | undefined;
  #isOpen = false;
  /** Failures since the last connection */
  #attempt = 0;
  #retryAt = 0;
  #sent = 0;
  #lost = 0;
  #failures = 0;

  constructor(address: SyslogAddress, deps: SyslogDeps) {
    this.#address = address;
    this.#deps = deps;
  }

  stats(): SyslogStats {
    return { sent: this.#sent, waiting: this.#waiting.length, lost: this.#lost, failures: this.#failures };
  }

  send(report: Omit<SyslogReport, 'hostId'>): void {
    const { kind, hostId } = this.#deps;
    if (this.#waiting.length >= (kind.waitingMax ?? WAITING_MAX)) {
      this.#waiting.shift();
      this.#lost++;
    }
    this.#waiting.push(Buffer.from(syslogMessage(kind, { ...report, hostId })));
    this.retry();
  }

  /** Sends what waits, or connects again when the pause after a failure is over. */
  retry(): void {
    if (this.#waiting.length === 0) return;
    if (this.#isOpen) this.#flush();
    else if (this.#connection === undefined && performance.now() >= this.#retryAt) this.#connect();
  }

  #connect(): void {
    const connection = (this.#address.protocol === 'tcp' ? overTcp : overUdp)(this.#address, {
      onOpen: () => {
        if (this.#connection !== connection) return;
        this.#isOpen = true;
        this.#attempt = 0;
        this.#flush();
      },
      onFailure: (err) => {
        if (this.#connection === connection) this.#onFailure(err);
      },
    });
    this.#connection = connection;
  }

  #onFailure(err: Error): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#isOpen = false;
    this.#failures++;
    this.#retryAt = performance.now() + backoffMs(this.#attempt, BACKOFF);
    if (this.#attempt++ === 0)
      this.#deps.log.warn(
        { err, ...this.#address, messages: this.#deps.kind.id },
        'the syslog server can not be reached: the last messages are kept, and sent when it answers',
      );
  }

  #flush(): void {
    while (this.#connection !== undefined && this.#connection.pendingBytes < PENDING_MAX_BYTES) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#sent++;
      this.#connection.send(message);
    }
  }

  /** Resolves when nothing waits any more, or after `maxMs`. */
  async drain(maxMs: number): Promise<void> {
    for (const end = performance.now() + maxMs; this.#waiting.length > 0 && performance.now() < end; await pause(20))
      this.retry();
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#isOpen = false;
  }
}

interface ConnectionEvents {
  readonly onOpen: () => void;
  readonly onFailure: (error: Error) => void;
}

interface Connection {
  readonly pendingBytes: number;
  send(message: Buffer): void;
  close(): void;
}

/** Connected, so that the kernel reports a port without a server. */
function overUdp({ host, port }: SyslogAddress, { onOpen, onFailure }: ConnectionEvents): Connection {
  let socket: Socket | undefined;
  let isClosed = false;
  lookup(host, (error, address, family) => {
    if (isClosed) return;
    if (error !== null) return onFailure(error);
    socket = createSocket(family === 6 ? 'udp6' : 'udp4').unref();
    socket.on('error', onFailure);
    socket.connect(port, address, onOpen);
  });
  return {
    pendingBytes: 0,
    send: (message) => socket?.send(message, (error) => error !== null && onFailure(error)),
    close: () => {
      isClosed = true;
      socket?.close();
    },
  };
}

function overTcp({ host, port }: SyslogAddress, { onOpen, onFailure }: ConnectionEvents): Connection {
  const socket = connect({ host, port, keepAlive: true }).unref();
  socket.setTimeout(CONNECT_MAX_MS, () => socket.destroy(new Error('the server does not answer')));
  socket.on('error', onFailure);
  socket.on('close', () => onFailure(new Error('the server has closed the connection')));
  socket.on('connect', () => {
    socket.setTimeout(0);
    onOpen();
  });
  // Answers have no meaning; unread ones would keep the connection's end unnoticed.
  socket.resume();
  return {
    get pendingBytes() {
      return socket.writableLength;
    },
    send: (message) => socket.write(Buffer.concat([Buffer.from(`${message.length} `), message])),
    close: () => void (socket.connecting ? socket.destroy() : socket.end()),
  };
}
