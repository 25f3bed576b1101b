import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { asObject, asText, ifExists, type Json, parseJson } from '@ringfence/host-kit';
import type { FilesState } from './file-source.ts';
import type { TailPosition } from './tail.ts';

const FILE = 'logs.state';
const MAX_FILES = 1024;

export interface LogState {
  readonly bootId: string;
  /** hex; the scope of the lines' sequence numbers */
  readonly run: string;
  /** last sequence number taken */
  readonly sequence: number;
  readonly drops: Readonly<Record<string, number>>;
  /** null if no files were read yet */
  readonly files: FilesState | null;
  /** of journald; '' if the journal was not read yet */
  readonly cursor: string;
}

export interface SavedLogState {
  readonly state: LogState;
  /** the record with the lines before the state's positions, if it may not be on the bus yet */
  readonly pending: Buffer | null;
}

/** Begins a run: at the first start, and after each boot. Keeps the positions of the previous run. */
export const newRun = (bootId: string, previous?: LogState): LogState => ({
  bootId,
  run: randomBytes(8).toString('hex'),
  sequence: 0,
  drops: {},
  files: previous?.files ?? null,
  cursor: previous?.cursor ?? '',
});

/**
 * Stores the positions in the logs together with the record that is being sent, in one file: so positions advance at
 * the same moment as their lines become durable. After a crash the record is sent again, byte for byte. Therefore no
 * line has two numbers, and no number two lines.
 */
export class LogStateFile {
  readonly #path: string;

  constructor(stateDir: string) {
    this.#path = join(stateDir, FILE);
  }

  /** Returns null if there is no file, or an incomplete one after a power failure. */
  read(): SavedLogState | null {
    const bytes = ifExists(() => readFileSync(this.#path));
    if (bytes === null) return null;
    const end = bytes.indexOf(10);
    const state = end < 0 ? null : parseState(bytes.toString('utf8', 0, end));
    return state === null ? null : { state, pending: end + 1 < bytes.length ? bytes.subarray(end + 1) : null };
  }

  /** Resolves when the file is on disk. Rejects with the errors of node:fs. */
  async write({ state, pending }: SavedLogState): Promise<void> {
    const file = await open(`${this.#path}.new`, 'w', 0o600);
    try {
      await file.writeFile(Buffer.concat([Buffer.from(`${JSON.stringify(state)}\n`), pending ?? Buffer.alloc(0)]));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${this.#path}.new`, this.#path);
  }
}

function parseState(text: string): LogState | null {
  const value = asObject(parseJson(text));
  const run = asText(value['run'], 16);
  const sequence = value['sequence'];
  if (!/^[0-9a-f]{16}$/.test(run) || !Number.isSafeInteger(sequence)) return null;
  const drops = Object.entries(asObject(value['drops'])).filter(([, count]) => Number.isSafeInteger(count));
  return {
    bootId: asText(value['bootId'], 64),
    run,
    sequence: sequence as number,
    drops: Object.fromEntries(drops) as Record<string, number>,
    files: filesOf(value['files']),
    cursor: asText(value['cursor']),
  };
}

function filesOf(value: unknown): FilesState | null {
  const { patterns, files, past, savedAt } = asObject(value);
  if (!Array.isArray(patterns)) return null;
  return {
    patterns: patterns.map((pattern) => asText(pattern, 4096)),
    files: positionsOf(files),
    past: positionsOf(past),
    savedAt: Number.isSafeInteger(savedAt) ? (savedAt as number) : 0,
  };
}

const positionsOf = (value: unknown): TailPosition[] =>
  Array.isArray(value) ? value.slice(0, MAX_FILES).flatMap((file) => positionOf(asObject(file)) ?? []) : [];

function positionOf(file: Json): TailPosition | null {
  const offset = file['offset'];
  if (!Number.isSafeInteger(offset)) return null;
  const text = (name: string, maxLength: number): string => asText(file[name], maxLength);
  return {
    path: text('path', 4096),
    device: text('device', 20),
    inode: text('inode', 20),
    offset: offset as number,
    anchor: text('anchor', 128),
  };
}
