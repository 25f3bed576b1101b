import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CodedError } from '@ringfence/base';
import { ifExists, writeAtomically } from '@ringfence/host-kit';
import { z } from 'zod';
import type { FileFacts } from './scan.ts';

export type BaselineErrorCode =
  /** A baseline file is damaged, was changed, or is not a baseline. Take a new one, or name the right file. */
  'ERR_COLLECTOR_BASELINE';

export class BaselineError extends CodedError<BaselineErrorCode> {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_COLLECTOR_BASELINE', message, options);
  }
}

const VERSION = 1;

export interface Baseline {
  readonly paths: readonly string[];
  /** ISO 8601 */
  readonly at: string;
  readonly files: ReadonlyMap<string, FileFacts>;
}

const facts = z.object({
  type: z.string(),
  mode: z.number(),
  uid: z.number(),
  gid: z.number(),
  size: z.number().optional(),
  sha256: z.string().optional(),
  target: z.string().optional(),
  device: z.number().optional(),
  capabilities: z.string().optional(),
  unread: z.string().optional(),
});
const head = z.object({ version: z.literal(VERSION), at: z.string(), paths: z.array(z.string()) });
const line = z.tuple([z.string(), facts]);

/**
 * Writes a line for each file, sorted by path. Returns the SHA-256 of the text: kept elsewhere, it shows whether the
 * baseline was changed.
 */
export function writeBaseline(file: string, { paths, at, files }: Baseline): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map((entry) => JSON.stringify(entry));
  const text = `${[JSON.stringify({ version: VERSION, at, paths }), ...lines].join('\n')}\n`;
  writeAtomically(file, text);
  return createHash('sha256').update(text).digest('hex');
}

/** Throws BaselineError if the file is not a baseline, or has another SHA-256. */
export function readBaseline(file: string, sha256?: string): Baseline {
  const contents = ifExists(() => readFileSync(file, 'utf8'));
  if (contents === null)
    throw new BaselineError(`${file} does not exist: make it with ringfence fim baseline PATH… --file ${file}`);
  const hash = createHash('sha256').update(contents).digest('hex');
  if (sha256 !== undefined && hash !== sha256)
    throw new BaselineError(`${file} was changed: its SHA-256 is ${hash} instead of ${sha256}`);
  try {
    const [first = '', ...rest] = contents.trimEnd().split('\n');
    const { at, paths } = head.parse(JSON.parse(first));
    const files = new Map(rest.map((text) => line.parse(JSON.parse(text)) as [string, FileFacts]));
    return { at, paths, files };
  } catch (cause) {
    throw new BaselineError(`${file} is not a baseline that ringfence fim baseline wrote`, { cause });
  }
}
