import { createHash, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { EventJudge } from '@ringfence/rule-lab';
import type { CompiledRule } from '@ringfence/rules';
import {
  type EventView,
  isSignedLines,
  learnSchema,
  openRecording,
  recordingEntry,
  recordingHeader,
} from '@ringfence/wire';
import { builtIn, RULES } from '../content.ts';

const RECORDINGS = join(RULES, 'recordings');
/** Schemas of batches by fingerprint; a recording does not repeat them. */
const SCHEMAS = join(RECORDINGS, 'schemas');
const ENDING = '.rec.gz';
const SCHEMA_ENDING = '.avsc.gz';

/** The recorded action of one rule. */
export interface PlayedAction {
  /** Key that signs the batches. */
  readonly key: KeyObject;
  /** Raw batches, and signed lines of logs. */
  readonly batches: readonly Buffer[];
}

/** Returns the id of the host on which a rule's action happens. Each rule has its own. */
export function hostOf(rule: string): string {
  const hex = createHash('sha256').update(rule).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Returns the name of a rule's recording without its ending. */
export const slugOf = (rule: string): string =>
  rule
    .toLowerCase()
    .replaceAll("'", '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** Returns the command that makes a rule's recording. The recording's header has it. */
export const commandFor = (rule: string): string => `sudo npm run record -- "${rule}"`;

/** Returns the names of all recordings, without their ending. */
export const recordedSlugs = (): string[] =>
  readdirSync(RECORDINGS).flatMap((name) => (name.endsWith(ENDING) ? [name.slice(0, -ENDING.length)] : []));

/** Writes a rule's recording, and its schema unless the schema is there. */
export function storeRecording(rule: string, { key, batches }: PlayedAction): void {
  const header = recordingHeader(new Map([[hostOf(rule), key]])).toString();
  const [magic, json = '{}'] = header.split('\n');
  const { schemas, enrolled } = JSON.parse(json) as { schemas: readonly { schema: string }[]; enrolled: object };
  const bare = Buffer.from(`${magic}\n${JSON.stringify({ madeBy: commandFor(rule), schemas: [], enrolled })}\n`);
  writeFileSync(
    join(RECORDINGS, `${slugOf(rule)}${ENDING}`),
    gzipSync(Buffer.concat([bare, ...batches.map(recordingEntry)]), { level: 9 }),
  );
  const used = new Set(batches.flatMap((batch) => fingerprintOf(batch) ?? []));
  mkdirSync(SCHEMAS, { recursive: true });
  for (const { schema } of schemas) {
    const fingerprint = learnSchema(schema)?.fingerprint ?? '';
    const path = join(SCHEMAS, `${fingerprint}${SCHEMA_ENDING}`);
    // Another zlib compresses the same schema to other bytes: a second recording must not change the file.
    if (used.has(fingerprint) && !existsSync(path)) writeFileSync(path, gzipSync(schema, { level: 9 }));
  }
}

/**
 * Writes a rule's recording with all of its schemas to a file, for `ringfence replay` and `ringfence rules explain`.
 * Throws Error if there is none.
 */
export async function exportRecording(rule: string, path: string): Promise<void> {
  const recording = await loadRecording(rule);
  if (recording === undefined) throw new Error(`there is no recording of "${rule}"`);
  const header = recordingHeader(new Map([[hostOf(rule), recording.key]]));
  writeFileSync(path, Buffer.concat([header, ...recording.batches.map(recordingEntry)]), { mode: 0o600 });
}

/** Removes recordings of rules that are not listed, and schemas that no recording uses. */
export async function removeStale(rules: readonly string[]): Promise<void> {
  const wanted = new Set(rules.map(slugOf));
  for (const slug of recordedSlugs()) if (!wanted.has(slug)) rmSync(join(RECORDINGS, `${slug}${ENDING}`));
  const used = new Set<string>();
  for (const rule of rules)
    for (const batch of (await loadRecording(rule))?.batches ?? []) used.add(fingerprintOf(batch) ?? '');
  for (const name of readdirSync(SCHEMAS))
    if (!used.has(name.slice(0, -SCHEMA_ENDING.length))) rmSync(join(SCHEMAS, name));
}

/** Returns a rule's recording, or undefined if there is none. */
export async function loadRecording(rule: string): Promise<PlayedAction | undefined> {
  learnSchemas();
  const name = `${slugOf(rule)}${ENDING}`;
  if (!readdirSync(RECORDINGS).includes(name)) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-recording-'));
  try {
    const path = join(directory, 'attack.rec');
    writeFileSync(path, gunzipSync(readFileSync(join(RECORDINGS, name))));
    await using recording = await openRecording(path);
    const batches = await Array.fromAsync(recording.records(), (record) => Buffer.from(record));
    const key = recording.enrolled.get(hostOf(rule));
    if (key === undefined) throw new Error(`${name} is not a recording of "${rule}": record it again`);
    return { key, batches };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Throws Error with the first diagnostic if a built-in rule does not compile. */
export function checkRules(): void {
  builtIn();
}

/** A match of a rule on a recording. */
export interface Raised {
  readonly rule: CompiledRule<EventView>;
  /** Number of the event, from 1, of which the alert is. */
  readonly event: number;
}

/** Returns the matches on a recording. */
export function raisedOn(rule: string, { key, batches }: PlayedAction): Raised[] {
  const raised: Raised[] = [];
  const judge: EventJudge = new EventJudge({
    rules: builtIn(),
    keyFor: () => key,
    onMatch: (matched) => raised.push({ rule: matched, event: judge.events }),
  });
  for (const batch of batches) judge.take(hostOf(rule), batch);
  return raised;
}

/** Returns the names of the rules that match on a recording, in alphabetical order. */
export const matchesOf = (rule: string, action: PlayedAction): string[] => namesOf(raisedOn(rule, action));

/** Returns the names of the rules, in alphabetical order. */
export const namesOf = (raised: readonly Raised[]): string[] =>
  [...new Set(raised.map(({ rule }) => rule.name))].sort();

let learnt = false;

function learnSchemas(): void {
  if (learnt) return;
  learnt = true;
  for (const name of readdirSync(SCHEMAS)) learnSchema(gunzipSync(readFileSync(join(SCHEMAS, name))).toString());
}

/** Returns the fingerprint of a batch's schema. Lines of logs have none. */
function fingerprintOf(batch: Buffer): string | undefined {
  // Avro single-object encoding: two bytes, then the fingerprint.
  return isSignedLines(batch) ? undefined : batch.toString('hex', 2, 10);
}
