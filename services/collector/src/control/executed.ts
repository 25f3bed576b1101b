import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { writeAtomically } from '@ringfence/host-kit';

const LINE = /^([\x21-\x7e]{1,128}) (\d{1,16})$/;
const REWRITE_EVERY = 1000;

/**
 * Ids of the commands that were begun, kept until they expire, so that none is carried out twice. An id is in the file before the kill: after a crash
 * in between it counts as carried out. No fsync: a machine that lost its page cache has another boot id, and refuses the command by that.
 */
export class ExecutedCommands {
  readonly #path: string;
  readonly #expiries = new Map<string, number>();
  #appended = 0;

  /** `now`: µs since the epoch */
  constructor(directory: string, now: number) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#path = `${directory}/executed.log`;
    for (const line of readLines(this.#path)) {
      const [, id, expiry] = LINE.exec(line) ?? [];
      if (id !== undefined) this.#expiries.set(id, Number(expiry));
    }
    this.#rewrite(now);
  }

  has(id: string): boolean {
    return this.#expiries.has(id);
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** `expiresAt`, `now`: µs since the epoch. Written when it returns; throws when it can't be. */
  add(id: string, expiresAt: number, now: number): void {
    appendFileSync(this.#path, lineOf(id, expiresAt), { mode: 0o600 });
    this.#expiries.set(id, expiresAt);
    if (++this.#appended >= REWRITE_EVERY) this.#rewrite(now);
  }

  #rewrite(now: number): void {
    for (const [id, expiry] of this.#expiries) if (expiry < now) this.#expiries.delete(id);
    writeAtomically(this.#path, [...this.#expiries].map(([id, expiry]) => lineOf(id, expiry)).join(''));
    this.#appended = 0;
  }
}

/** A full disk may have torn the line before: this one must not be its end. */
const lineOf = (id: string, expiry: number): string => `\n${id} ${expiry}\n`;

/** A torn last line is no command that was carried out: the kill comes after the write. */
function readLines(path: string): string[] {
  try {
    const lines = readFileSync(path, 'latin1').split('\n');
    return lines.slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
