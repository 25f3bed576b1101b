import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as system } from 'node:os';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { OperatorError } from '@ringfence/base';

/** A command that waits for its release before it executes the program, so that the trace starts with the program. */
export class TracedCommand {
  readonly #child: ChildProcess;
  /** Resolves with the exit code, or with 128 plus the number of the signal that ended it. */
  readonly ended: Promise<number>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, 'exit').then(([code, signal]) => code ?? 128 + (system.signals[signal as 'SIGINT'] ?? 0));
  }

  /** Throws OperatorError when there is no such program. */
  static async start([program = '', ...args]: readonly string[]): Promise<TracedCommand> {
    // With the path instead of the name: the trace would otherwise start with the shell's search in PATH.
    const command = [findProgram(program), ...args];
    const child = spawn('/bin/sh', ['-c', 'read -r _ <&3 && exec 3<&- && exec "$@"', 'sh', ...command], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    });
    const started = new TracedCommand(child);
    await once(child, 'spawn');
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  release(): void {
    const gate = this.#child.stdio[3] as Writable;
    // The command may have been killed in the meantime.
    gate.on('error', () => {});
    gate.end('\n');
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function findProgram(program: string): string {
  const candidates = program.includes('/')
    ? [resolve(program)]
    : (process.env['PATH'] ?? '/usr/bin:/bin').split(':').map((directory) => resolve(directory, program));
  const path = candidates.find(isExecutable);
  if (path !== undefined) return path;
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
