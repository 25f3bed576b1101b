import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { asObject, asText, ifExists, type Json } from '@ringfence/host-kit';
import type { FilesState } from './files.ts';
import type { TailPosition } from './tail.ts';

const FILE = 'logs.state';
const MAX_FILES = 1024;

export interface LogState {
  readonly bootId: string;
  /** hex: numbers of lines are counted within it */
  readonly run: string;
  /** last number taken */
  readonly sequence: number;
  readonly drops: Readonly<Record<string, number>>;
  /** null: never read any */
  readonly files: FilesState | null;
  /** of journald; '': never read any */
  readonly cursor: string;
}

export interface Kept {
  readonly state: LogState;
  /** the record whose lines the state has left behind, and which is perhaps not on the bus yet; null: none */
  readonly pending: Buffer | null;
}

/** A new run: at the first start, and after each boot. */
export const newRun = (bootId: string, before?: LogState): LogState => ({
  bootId,
  run: randomBytes(8).toString('hex'),
  sequence: 0,
  drops: {},
  files: before?.files ?? null,
  cursor: before?.cursor ?? '',
});

/**
 * How far logs were read, and the record that is on its way, in one file: a position moves in the same moment in which its lines are safe. After a crash
 * that record goes out again, byte for byte, so no line has two numbers and no number two lines.
 */
export class LogStateFile {
  readonly #path: string;

  constructor(stateDir: string) {
    this.#path = join(stateDir, FILE);
  }

  /** null: there is none, or a torn one of a machine that lost its power. */
  read(): Kept | null {
    const bytes = ifExists(() => readFileSync(this.#path));
    if (bytes === null) return null;
    const end = bytes.indexOf(10);
    const state = end < 0 ? null : parse(bytes.toString('utf8', 0, end));
    return state === null ? null : { state, pending: end + 1 < bytes.length ? bytes.subarray(end + 1) : null };
  }

  /** On disk when it resolves. Rejects with what node:fs says. */
  async write({ state, pending }: Kept): Promise<void> {
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

function parse(text: string): LogState | null {
  const value = parseJson(text);
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

function parseJson(text: string): Json {
  try {
    return asObject(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
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
  const text = (name: string, max: number): string => asText(file[name], max);
  return {
    path: text('path', 4096),
    device: text('device', 20),
    inode: text('inode', 20),
    offset: offset as number,
    anchor: text('anchor', 128),
  };
}
