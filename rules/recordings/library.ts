import { createHash, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openRecording, recordingEntry, recordingHeader, routeOf } from '@ringfence/wire';
import { Judge } from '../lab/judge.ts';
import { builtIn } from '../test/support.ts';

const FILE = join(import.meta.dirname, 'attacks.rec.gz');
/** A line for each rule, and behind it all that match on its recording. */
const MATCHED = join(import.meta.dirname, 'matched.tsv');

type Keys = Parameters<typeof recordingHeader>[0];

/** Each rule's action happened on a host of its own, which is called after it. */
export function hostOf(rule: string): string {
  const hex = createHash('sha256').update(rule).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** One recording for all: `ringfence replay` plays it, once it is unpacked. */
export function store({ recordings, keys, matched }: Library): void {
  const entries = [...recordings.values()].flat().map(recordingEntry);
  writeFileSync(FILE, gzipSync(Buffer.concat([recordingHeader(keys), ...entries]), { level: 9 }));
  const lines = Object.entries(matched).map(([rule, names]) => [rule, ...names].join('\t'));
  writeFileSync(MATCHED, `${lines.sort().join('\n')}\n`);
}

export interface Library {
  readonly keys: Keys;
  /** by host: the raw batches of a rule's action, and the lines of logs that it left */
  readonly recordings: ReadonlyMap<string, readonly Buffer[]>;
  /** by rule: all rules that match on it */
  readonly matched: Readonly<Record<string, readonly string[]>>;
}

/** What was recorded of one action. */
export interface Played {
  /** that the batches are signed with */
  readonly key: KeyObject;
  readonly batches: readonly Buffer[];
}

export const NOTHING: Library = { keys: new Map(), recordings: new Map(), matched: {} };

function readMatched(): Library['matched'] {
  const lines = readFileSync(MATCHED, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split('\t')).map(([rule = '', ...names]) => [rule, names]));
}

/** What `store` has stored, by host. */
export async function load(): Promise<Library> {
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-recordings-'));
  try {
    const path = join(directory, 'attacks.rec');
    writeFileSync(path, gunzipSync(readFileSync(FILE)));
    await using recording = await openRecording(path);
    const recordings = new Map<string, Buffer[]>();
    for await (const record of recording.records()) {
      const batch = Buffer.from(record);
      const { key } = routeOf(batch);
      recordings.set(key, [...(recordings.get(key) ?? []), batch]);
    }
    return { keys: recording.enrolled, recordings, matched: readMatched() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Names of the rules that match on these batches of one host, in alphabetical order. */
export function matchesOf(host: string, batches: readonly Buffer[], keys: Keys): string[] {
  const names = new Set<string>();
  const judge = new Judge(
    builtIn(),
    (id) => keys.get(id),
    ({ name }) => names.add(name),
  );
  for (const batch of batches) judge.take(host, batch);
  return [...names].sort();
}
