import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as system } from 'node:os';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { OperatorError } from '@ringfence/base';

/** A command that waits to be let go before it becomes the program: by then it is being traced. */
export class Command {
  readonly #child: ChildProcess;
  /** settles with the exit code, 128 and the signal's number when one ended it */
  readonly ended: Promise<number>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, 'exit').then(([code, signal]) => code ?? 128 + (system.signals[signal as 'SIGINT'] ?? 0));
  }

  /** @throws OperatorError when there is no such program */
  static async start([program = '', ...args]: readonly string[]): Promise<Command> {
    // The path rather than the name: else the shell's search for it would be the beginning of the trace.
    const command = [find(program), ...args];
    const child = spawn('/bin/sh', ['-c', 'read -r _ <&3 && exec 3<&- && exec "$@"', 'sh', ...command], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    });
    const started = new Command(child);
    await once(child, 'spawn');
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  letGo(): void {
    const gate = this.#child.stdio[3] as Writable;
    // It may have been killed meanwhile.
    gate.on('error', () => {});
    gate.end('\n');
  }

  pass(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function find(program: string): string {
  const places = program.includes('/')
    ? [resolve(program)]
    : (process.env['PATH'] ?? '/usr/bin:/bin').split(':').map((directory) => resolve(directory, program));
  const found = places.find(isExecutable);
  if (found !== undefined) return found;
  throw new OperatorError(`${program}: there is no such program${program.includes('/') ? '' : ' in PATH'}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return false;
    throw error;
  }
}
