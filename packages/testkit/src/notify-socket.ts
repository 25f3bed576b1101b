import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The socket of a service manager (sd_notify(3)). Node has no such sockets, so a program receives for it. */
export class NotifySocket implements AsyncDisposable {
  readonly address: string;
  readonly #child: ChildProcess;
  #text = '';

  private constructor(address: string, child: ChildProcess) {
    this.address = address;
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('utf8');
    });
  }

  /** @param directory for the program. @param address path, or `@` and an abstract name */
  static async open(directory: string, address: string): Promise<NotifySocket> {
    const program = join(directory, 'notify-socket');
    const source = join(import.meta.dirname, 'programs/notify-socket.c');
    execFileSync('cc', ['-o', program, source]);
    const child = spawn(program, [address], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(child.stdout, 'data');
    assert.equal(String(line), 'bound\n');
    return new NotifySocket(address, child);
  }

  /** The received datagrams, with `|` for each end of a line */
  get messages(): readonly string[] {
    return this.#text.split('\n').slice(0, -1);
  }

  count(message: string): number {
    return this.messages.filter((candidate) => candidate === message).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
