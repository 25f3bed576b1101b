import { connect, createServer, type Server, type Socket } from 'node:net';
import { reservePorts } from './ports.ts';

/** Faults of all connections, open and new. */
export interface Faults {
  /** Delay of each chunk in each direction. @default 0 */
  readonly latencyMs?: number;
  /** Rate in each direction of each connection. @default no limit */
  readonly bytesPerSecond?: number;
  /** Connections are accepted and stay open, but no byte passes in either direction. @default false */
  readonly silent?: boolean;
  /** New connections are refused, and open connections are reset. @default false */
  readonly refuse?: boolean;
}

export interface TcpProxy extends AsyncDisposable {
  /** 127.0.0.1:port. */
  readonly address: string;
  readonly port: number;
  /** Replaces the faults. `{}` heals the network, and delayed bytes are delivered. */
  set(faults: Faults): Promise<void>;
  /** Resets every open connection. New connections are accepted. */
  cut(): void;
  /** Bytes that passed to the server and back. */
  readonly transferred: { readonly up: number; readonly down: number };
  /** Number of open connections. */
  readonly connections: number;
}

const TICK_MS = 10;
/** Bytes that one direction buffers before it stops reading, so that back-pressure reaches the sender. */
const HELD_BYTES = 1 << 20;

/** One direction of one connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: () => Faults;
  readonly #count: (bytes: number) => void;
  readonly #held: { readonly chunk: Buffer; readonly due: number }[] = [];
  #heldBytes = 0;
  #freeAt = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, faults: () => Faults, count: (bytes: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#count = count;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => {
      this.#ended = true;
      this.release();
    });
    to.on('drain', () => this.release());
    to.on('close', () => clearTimeout(this.#timer));
  }

  #take(chunk: Buffer): void {
    this.#held.push({ chunk, due: performance.now() + (this.#faults().latencyMs ?? 0) });
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= HELD_BYTES) this.#from.pause();
    this.release();
  }

  /** Sends the chunks that are due, and sets a timer for the rest. */
  release(): void {
    clearTimeout(this.#timer);
    const { silent, bytesPerSecond } = this.#faults();
    if (silent || this.#to.destroyed) return;
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const now = performance.now();
      if (first.due > now || this.#freeAt > now) {
        this.#timer = setTimeout(() => this.release(), Math.max(TICK_MS, Math.min(first.due, this.#freeAt) - now));
        return;
      }
      if (this.#to.writableNeedDrain) return;
      this.#send(first.chunk, bytesPerSecond, now);
    }
    if (this.#ended) this.#to.end();
  }

  #send(chunk: Buffer, bytesPerSecond: number | undefined, now: number): void {
    this.#held.shift();
    this.#heldBytes -= chunk.length;
    if (bytesPerSecond !== undefined) this.#freeAt = now + (chunk.length / bytesPerSecond) * 1000;
    this.#count(chunk.length);
    this.#to.write(chunk);
    if (this.#heldBytes < HELD_BYTES) this.#from.resume();
  }
}

/** A connection through the proxy: its two sockets and the pipes between them. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipes: readonly Pipe[];

  constructor(client: Socket, server: Socket, pipes: readonly Pipe[], onClose: (link: Link) => void) {
    this.#client = client;
    this.#server = server;
    this.#pipes = pipes;
    for (const [socket, peer] of [
      [client, server],
      [server, client],
    ] as const) {
      // The close event follows, and closes the other side.
      socket.on('error', () => {});
      socket.on('close', (failed) => {
        if (failed) peer.resetAndDestroy();
        if (client.destroyed && server.destroyed) onClose(this);
      });
    }
  }

  release(): void {
    for (const pipe of this.#pipes) pipe.release();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function unlisten(server: Server): Promise<void> {
  return new Promise((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));
}

/**
 * Starts a proxy that simulates network faults: connect to its address instead of the server's. Clients of a server
 * that advertises its address, as Kafka does, would bypass the proxy: use `proxied` of `startKafka` instead.
 * @param target host:port or a port of 127.0.0.1
 */
export async function startTcpProxy(target: string | number): Promise<TcpProxy> {
  await using undo = new AsyncDisposableStack();
  const port = undo.use(await reservePorts(1)).ports[0]!;
  const at = typeof target === 'number' ? { host: '127.0.0.1', port: target } : parse(target);
  const links = new Set<Link>();
  const transferred = { up: 0, down: 0 };
  let faults: Faults = {};
  const current = () => faults;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...at, allowHalfOpen: true });
    const up = new Pipe(client, upstream, current, (bytes) => {
      transferred.up += bytes;
    });
    const down = new Pipe(upstream, client, current, (bytes) => {
      transferred.down += bytes;
    });
    links.add(new Link(client, upstream, [up, down], (link) => links.delete(link)));
  });
  const cut = () => {
    for (const link of links) link.reset();
  };
  const set = async (next: Faults) => {
    faults = next;
    if (next.refuse && server.listening) {
      const closed = unlisten(server);
      cut();
      await closed;
    }
    if (!next.refuse && !server.listening) await listen(server, port);
    for (const link of links) link.release();
  };
  undo.defer(() => set({ refuse: true }));
  await listen(server, port);
  const started = undo.move();
  return {
    address: `127.0.0.1:${port}`,
    port,
    set,
    cut,
    transferred,
    get connections() {
      return links.size;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function parse(target: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${target}`);
  return { host: hostname, port: Number(port) };
}
