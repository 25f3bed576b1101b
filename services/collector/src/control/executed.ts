import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { writeAtomically } from '@ringfence/host-kit';

const LINE = /^([\x21-\x7e]{1,128}) (\d{1,16})$/;
const REWRITE_EVERY = 1000;

/**
 * Ids of executed commands, kept until the commands expire, so that none is carried out twice. An id is written before
 * the kill: after a crash in between, the command counts as executed. No fsync is needed, because after a power failure
 * the host has another boot id, and the command is refused for that.
 */
export class ExecutedCommands {
  readonly #path: string;
  readonly #expiries = new Map<string, number>();
  #appended = 0;

  /** @param nowUs µs since the epoch */
  constructor(directory: string, nowUs: number) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#path = `${directory}/executed.log`;
    for (const line of readLines(this.#path)) {
      const [, id, expiry] = LINE.exec(line) ?? [];
      if (id !== undefined) this.#expiries.set(id, Number(expiry));
    }
    this.#rewrite(nowUs);
  }

  has(id: string): boolean {
    return this.#expiries.has(id);
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** Writes the id to the file; times are µs since the epoch. Throws the file's error when it cannot be written. */
  add(id: string, expiresAtUs: number, nowUs: number): void {
    appendFileSync(this.#path, lineOf(id, expiresAtUs), { mode: 0o600 });
    this.#expiries.set(id, expiresAtUs);
    if (++this.#appended >= REWRITE_EVERY) this.#rewrite(nowUs);
  }

  #rewrite(nowUs: number): void {
    for (const [id, expiry] of this.#expiries) if (expiry < nowUs) this.#expiries.delete(id);
    writeAtomically(this.#path, [...this.#expiries].map(([id, expiry]) => lineOf(id, expiry)).join(''));
    this.#appended = 0;
  }
}

/** Starts with a line break, because a full disk may have torn the line before. */
const lineOf = (id: string, expiry: number): string => `\n${id} ${expiry}\n`;

/** Leaves out a torn last line: its command was not carried out, because the kill comes after the write. */
function readLines(path: string): string[] {
  try {
    const lines = readFileSync(path, 'latin1').split('\n');
    return lines.slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
