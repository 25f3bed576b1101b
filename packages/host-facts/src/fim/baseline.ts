import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ifExists, writeAtomically } from '@ringfence/host-kit';
import { z } from 'zod';
import { BaselineError } from './errors.ts';
import type { FileFacts } from './scan.ts';

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

/** Writes one line a file, in the order of the paths. Returns the SHA-256 of what was written: kept elsewhere, it tells whether somebody has changed it. */
export function writeBaseline(file: string, { paths, at, files }: Baseline): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map((entry) => JSON.stringify(entry));
  const text = `${[JSON.stringify({ version: VERSION, at, paths }), ...lines].join('\n')}\n`;
  writeAtomically(file, text);
  return createHash('sha256').update(text).digest('hex');
}

/** Throws BaselineError when it isn't one, or not the one with that SHA-256. */
export function readBaseline(file: string, sha256?: string): Baseline {
  const text = ifExists(() => readFileSync(file, 'utf8'));
  if (text === null)
    throw new BaselineError(`${file} is not there: make it with ringfence fim baseline PATH… --file ${file}`);
  const hash = createHash('sha256').update(text).digest('hex');
  if (sha256 !== undefined && hash !== sha256)
    throw new BaselineError(`${file} has been changed: its SHA-256 is ${hash}, and not ${sha256}`);
  try {
    const [first = '', ...rest] = text.trimEnd().split('\n');
    const { at, paths } = head.parse(JSON.parse(first));
    const files = new Map(rest.map((one) => line.parse(JSON.parse(one)) as [string, FileFacts]));
    return { at, paths, files };
  } catch (cause) {
    throw new BaselineError(`${file} is not what ringfence fim baseline writes`, { cause });
  }
}
