import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBounded } from '@ringfence/host-kit';
import { z } from 'zod';

/** Entries; further actions are refused until some are taken back. */
const ENTRIES_MAX = 10_000;
const ENTRY_BYTES_MAX = 16 << 20;
/** Actions that are over are kept for as long as their commands may come again. */
const KEEP_OVER_US = 3600 * 1_000_000;
const SUFFIX = '.json';

/**
 * `begun`: the inverse is on disk, and the action may have been carried out whole, in part or not at all. `held`: it
 * was carried out, and can be taken back. `over`: it was carried out, and nothing takes it back, or it was taken back.
 */
export type EntryState = 'begun' | 'held' | 'over';

/** An action of this host. */
export interface JournalEntry {
  /** Id of the command */
  readonly id: string;
  readonly kind: string;
  readonly state: EntryState;
  /** What takes the action back, checked by its kind; null: nothing does */
  readonly inverse: unknown;
  /** µs since the epoch, when it is taken back; 0: never */
  readonly until: number;
  /** µs since the epoch */
  readonly at: number;
  /** Id of the incident or alert */
  readonly cause: string;
  readonly outcome: string;
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
}

const entry: z.ZodType<JournalEntry> = z.strictObject({
  id: z.string().min(1).max(128),
  kind: z.string().min(1).max(64),
  state: z.enum(['begun', 'held', 'over']),
  inverse: z.unknown(),
  until: z.number().min(0),
  at: z.number().min(0),
  cause: z.string().max(256),
  outcome: z.string().max(32),
  reason: z.string().max(4096),
  facts: z.record(z.string(), z.string()),
});

/**
 * The actions of this host, one file each, so that a torn write spoils one at most. An entry is durable before its
 * action begins. Only root, or the user of the sensor, can read them.
 */
export class Journal {
  readonly #directory: string;
  readonly #entries = new Map<string, JournalEntry>();
  /** Files that are no entries; they are kept for a person to look at. */
  readonly unreadable: readonly string[];

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#directory = directory;
    const unreadable: string[] = [];
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (!name.endsWith(SUFFIX)) {
        rmSync(path, { recursive: true });
        continue;
      }
      const read = readEntry(path);
      if (read === null) unreadable.push(path);
      else this.#entries.set(read.id, read);
    }
    this.unreadable = unreadable;
  }

  get isFull(): boolean {
    return this.#entries.size >= ENTRIES_MAX;
  }

  get(id: string): JournalEntry | undefined {
    return this.#entries.get(id);
  }

  /** Oldest first. */
  entries(): JournalEntry[] {
    return [...this.#entries.values()].sort((a, b) => a.at - b.at);
  }

  /** Writes the entry, which is durable when this returns. Throws the file system's error. */
  put(value: JournalEntry): void {
    const path = this.#pathOf(value.id);
    const temporary = `${path}.new`;
    writeDurably(temporary, JSON.stringify(value));
    renameSync(temporary, path);
    syncDirectory(this.#directory);
    this.#entries.set(value.id, value);
  }

  /**
   * Removes actions that nothing takes back any more, and whose commands cannot come again. `now`: µs since the epoch.
   */
  prune(now: number): void {
    for (const { id, state, inverse, at } of this.entries()) {
      const isNeeded = state === 'held' || (state === 'begun' && inverse !== null);
      if (isNeeded || at + KEEP_OVER_US > now) continue;
      rmSync(this.#pathOf(id), { force: true });
      this.#entries.delete(id);
    }
  }

  #pathOf(id: string): string {
    return join(this.#directory, `${createHash('sha256').update(id).digest('hex').slice(0, 32)}${SUFFIX}`);
  }
}

/** The actions of a host, oldest first, as the journal in the directory has them now. */
export const journalEntries = (directory: string): JournalEntry[] => new Journal(directory).entries();

function readEntry(path: string): JournalEntry | null {
  try {
    const bytes = readBounded(path, ENTRY_BYTES_MAX);
    return bytes === null ? null : entry.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
