import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { backoffMs, type Log } from '@ringfence/base';
import { escapeText } from '@ringfence/wire';

/** Reports that wait for the server. */
const WAITING_MAX = 64;
/** Bytes that wait in a TCP connection whose server does not read. */
const PENDING_MAX_BYTES = 64 * 1024;
const CONNECT_MAX_MS = 5000;
const BACKOFF = { firstMs: 1000, maxMs: 60_000 };
/** Facility authpriv (10), severity alert (1) */
const PRIORITY = 10 * 8 + 1;
/** The number that is reserved for examples: Ringfence has none of its own. */
const STRUCTURE = 'ringfence@32473';
const VALUE_MAX = 128;
/** The latest time of a Date */
const TIME_MAX_MS = 8.64e15;

export interface SyslogAddress {
  readonly protocol: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
}

/** Parses `udp://host:port` or `tcp://host:port`. Returns null for anything else. */
export function parseSyslogAddress(text: string): SyslogAddress | null {
  const [, protocol, ipv6, name, port] =
    /^(udp|tcp):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const number = Number(port);
  if (!(number >= 1 && number <= 65_535)) return null;
  return { protocol: protocol === 'tcp' ? 'tcp' : 'udp', host: ipv6 ?? name ?? '', port: number };
}

export interface TamperingReport {
  /** Time of the tampering, ms since the epoch */
  readonly at: number;
  readonly hostId: string;
  /** Details by name: letters only */
  readonly details: Readonly<Record<string, string | number>>;
}

/** Returns a message of RFC 5424, whose text is ASCII. It has at most 128 characters of each detail. */
export function syslogMessage({ at, hostId, details }: TamperingReport): string {
  const host = /^[\x21-\x7e]{1,255}$/.exec(hostname())?.[0] ?? '-';
  const values = Object.entries({ hostId, ...details }).map(([name, value]) => ` ${name}="${valueText(value)}"`);
  // An entry in the sensor's memory can have any time.
  const time = new Date(Math.abs(at) <= TIME_MAX_MS ? at : Date.now()).toISOString();
  const header = `<${PRIORITY}>1 ${time} ${host} ringfence ${process.pid} tampering`;
  return `${header} [${STRUCTURE}${values.join('')}] tampering with the agent or its sensor`;
}

const valueText = (value: string | number): string =>
  escapeText(String(value))
    .slice(0, VALUE_MAX)
    .toWellFormed()
    .replaceAll(/["\\\]]/g, '\\$&');

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
  readonly hostId: string;
  readonly log: Log;
}

/**
 * Sends reports of tampering to a syslog server: over UDP (RFC 5426), or over TCP with octet counting (RFC 6587).
 * Never waits: while the server can't be reached, the last 64 reports are kept.
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

  send(report: Omit<TamperingReport, 'hostId'>): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.#lost++;
    }
    this.#waiting.push(Buffer.from(syslogMessage({ ...report, hostId: this.#deps.hostId })));
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
        { err, ...this.#address },
        'tampering cannot be reported to the syslog server: the last reports are kept, and sent when it answers',
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
