import { createHash, randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { EvidenceItem } from '../chain.ts';
import { fsyncPath } from '../store.ts';
import type { Budget } from './budget.ts';
import { alive, tell } from './report.ts';
import type { Scan } from './scan.ts';

/** Shared by all reads, which happen one after another. */
export const BUFFER: Buffer = Buffer.allocUnsafeSlow(4 << 20);
const SMALL_MAX = 256 * 1024;
const ITEM_NOTES = 60;

export interface Reading {
  readonly directory: string;
  readonly budget: Budget;
  readonly scan: Scan | null;
}

export type ItemFacts = Pick<EvidenceItem, 'kind' | 'name' | 'source'>;

/** A content that is being written. It counts only once it is on disk and its item was told. */
export class Content {
  readonly #reading: Reading;
  readonly #facts: ItemFacts;
  readonly #path: string;
  readonly #fd: number;
  readonly #began = Date.now() * 1000;
  readonly #notes: string[] = [];
  readonly #max: number;
  #small: Buffer[] = [];
  #smallBytes = 0;
  #size = 0;

  /** @param max bytes of this content */
  constructor(reading: Reading, facts: ItemFacts, max: number = Number.MAX_SAFE_INTEGER) {
    this.#max = max;
    this.#reading = reading;
    this.#facts = facts;
    this.#path = join(reading.directory, `${randomUUID()}.part`);
    this.#fd = openSync(this.#path, 'wx+', 0o600);
  }

  get size(): number {
    return this.#size;
  }

  note(text: string): void {
    if (this.#notes.length < ITEM_NOTES) this.#notes.push(text.slice(0, 1000));
    else if (this.#notes.length === ITEM_NOTES) this.#notes.push('there is more of this kind, which is not listed');
  }

  /** Writes as much as the budget allows. Returns false if that was not all. */
  write(bytes: Buffer): boolean {
    const allowed = Math.min(this.#reading.budget.allow(bytes.length), this.#max - this.#size);
    this.#add(bytes, allowed);
    this.#reading.budget.spend(allowed);
    if (allowed < bytes.length) this.note(`cut after ${this.#size} bytes`);
    return allowed === bytes.length;
  }

  /** Writes a line of a map as JSON, which is short beside what it describes: no limit may end it before that. */
  writeLine(value: object): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    this.#add(line, line.length);
  }

  #add(bytes: Buffer, allowed: number): void {
    if (bytes.length <= SMALL_MAX) this.#keep(Buffer.from(bytes.subarray(0, allowed)));
    else {
      this.#flush();
      this.#put(bytes.subarray(0, allowed));
    }
    this.#size += allowed;
    alive(this.#facts.name);
  }

  /** Collects small pieces, because a call for each line is slow. */
  #keep(bytes: Buffer): void {
    this.#small.push(bytes);
    this.#smallBytes += bytes.length;
    if (this.#smallBytes > SMALL_MAX) this.#flush();
  }

  #flush(): void {
    this.#put(Buffer.concat(this.#small));
    this.#small = [];
    this.#smallBytes = 0;
  }

  #put(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  /** Makes the content durable under its SHA-256, scans it, and tells its item. The hash is of what was written. */
  finish(): void {
    this.#flush();
    const sha256 = this.#hash();
    fsyncSync(this.#fd);
    const path = join(this.#reading.directory, sha256);
    if (existsSync(path)) unlinkSync(this.#path);
    else renameSync(this.#path, path);
    fsyncPath(this.#reading.directory);
    const { budget } = this.#reading;
    if (budget.cut !== '' && !this.#notes.some((text) => text.startsWith('cut'))) this.note(`ended by ${budget.cut}`);
    const ended = Date.now() * 1000;
    const item = {
      ...this.#facts,
      size: this.#size,
      sha256,
      began: this.#began,
      ended,
      notes: this.#notes,
      matches: [],
    };
    // Told before the scan, which may be the end of this process.
    tell({ type: 'item', item });
    this.#scan(sha256);
    closeSync(this.#fd);
  }

  #scan(sha256: string): void {
    const notes: string[] = [];
    const { scan, budget } = this.#reading;
    const matches = scan?.scan(this.#fd, this.#size, budget, (text) => notes.push(text.slice(0, 1000))) ?? [];
    if (matches.length > 0 || notes.length > 0) tell({ type: 'matches', sha256, matches, notes: notes.slice(0, 4) });
  }

  #hash(): string {
    const hash = createHash('sha256');
    for (let at = 0; ; ) {
      const length = readSync(this.#fd, BUFFER, 0, BUFFER.length, at);
      if (length === 0) return hash.digest('hex');
      hash.update(BUFFER.subarray(0, length));
      at += length;
      alive(this.#facts.name);
    }
  }
}

/** Copies an open file of unknown length, such as those of /proc. */
export function copyAll(fd: number, content: Content): void {
  for (;;) {
    const length = readSync(fd, BUFFER, 0, BUFFER.length, null);
    if (length === 0 || !content.write(BUFFER.subarray(0, length))) return;
  }
}

/** Stores a value as JSON. */
export function storeJson(reading: Reading, facts: ItemFacts, value: unknown): void {
  const content = new Content(reading, facts);
  content.write(Buffer.from(JSON.stringify(value)));
  content.finish();
}
