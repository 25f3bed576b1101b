/**
 * The chain of an evidence store: each entry is a file of canonical JSON that holds the SHA-256 of the one before, and
 * is signed. Only one text stands for an entry, so that no byte of it is outside of what is checked.
 */
import { createHash, type KeyObject, verify } from 'node:crypto';
import { type SigningKey, signBytes } from '@ringfence/wire';
import { z } from 'zod';

/** `previous` of the first entry */
export const GENESIS: string = '0'.repeat(64);
/** Bytes of an entry. 10,000 items take less than 20 MiB. */
export const ENTRY_MAX: number = 64 << 20;
/** Keeps the signature from standing for a record of another kind. */
const CONTEXT = Buffer.from('ringfence evidence\0');

const sha256: z.ZodString = z.string().regex(/^[0-9a-f]{64}$/);
const count: z.ZodNumber = z.int().min(0);
const text = (max: number): z.ZodString => z.string().max(max);
export interface RuleMatch {
  readonly rule: string;
  readonly namespace: string;
  readonly tags: readonly string[];
  /** `pattern@offset` */
  readonly at: readonly string[];
}

/** A piece of evidence. Its content is the file `content/SHA256` of the store. Times are µs since the epoch. */
export interface EvidenceItem {
  /** What the item is, such as `memory`, `executable`, `file` */
  readonly kind: string;
  readonly name: string;
  /** Where it was read: pid, start, path, device, inode, mode, owner, size, times, as text */
  readonly source: Readonly<Record<string, string>>;
  readonly size: number;
  readonly sha256: string;
  readonly began: number;
  readonly ended: number;
  /** What was cut, left out or has changed meanwhile, and why */
  readonly notes: readonly string[];
  readonly matches: readonly RuleMatch[];
}

/** What was collected by one command. Times are µs since the epoch. */
export interface Collection {
  /** Id of the command */
  readonly command: string;
  readonly who: string;
  readonly why: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly began: number;
  readonly ended: number;
  /** `cut`: a limit ended it; `killed`: the reading process had to be killed, or failed */
  readonly end: 'complete' | 'cut' | 'killed';
  /** What ended it; empty when complete */
  readonly reason: string;
  /** µs for which the process was stopped */
  readonly frozen: number;
  readonly items: readonly EvidenceItem[];
  readonly notes: readonly string[];
}

/** Who has read or exported which contents, and why */
export interface Custody {
  readonly who: string;
  readonly why: string;
  readonly purpose: 'read' | 'export';
  readonly contents: readonly string[];
}

export interface ChainEntry {
  readonly sequence: number;
  /** SHA-256 of the entry before */
  readonly previous: string;
  /** µs since the epoch */
  readonly at: number;
  readonly collection?: Collection | undefined;
  readonly custody?: Custody | undefined;
  readonly keyId: string;
  readonly signature: string;
}

const matchSchema = z.strictObject({
  rule: text(256),
  namespace: text(256),
  tags: z.array(text(128)).max(64),
  at: z.array(text(256)).max(64),
});

const itemSchema = z.strictObject({
  kind: text(64),
  name: text(16_384),
  source: z.record(text(64), text(16_384)),
  size: count,
  sha256,
  began: count,
  ended: count,
  notes: z.array(text(1024)).max(64),
  matches: z.array(matchSchema).max(1000),
});

const collectionSchema = z.strictObject({
  command: text(128),
  who: text(1024),
  why: text(4096),
  parameters: z.record(text(64), text(16_384)),
  began: count,
  ended: count,
  end: z.enum(['complete', 'cut', 'killed']),
  reason: text(4096),
  frozen: count,
  items: z.array(itemSchema).max(20_000),
  notes: z.array(text(1024)).max(256),
});

const custodySchema = z.strictObject({
  who: text(1024),
  why: text(4096),
  purpose: z.enum(['read', 'export']),
  contents: z.array(sha256).min(1).max(20_000),
});

const entrySchema: z.ZodType<ChainEntry> = z.strictObject({
  sequence: z.int().min(1),
  previous: sha256,
  at: count,
  collection: collectionSchema.optional(),
  custody: custodySchema.optional(),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

export interface ChainHead {
  /** Number of entries */
  readonly sequence: number;
  /** SHA-256 of the last one, hex */
  readonly sha256: string;
}

/** Returns JSON without spaces, members sorted by name: the only text of the value. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const entryName = (sequence: number): string => `${String(sequence).padStart(12, '0')}.json`;

export type EntryBody = Pick<ChainEntry, 'at' | 'collection' | 'custody'>;

/** Returns the text of the entry after `head`. Throws ZodError if a member is longer than its limit. */
export function signEntry(head: ChainHead, body: EntryBody, key: SigningKey): Buffer {
  const unsigned = { sequence: head.sequence + 1, previous: head.sha256, ...body, keyId: key.keyId };
  const signature = signBytes(key, signedBytes(unsigned)).toString('hex');
  return Buffer.from(canonicalJson(entrySchema.parse({ ...unsigned, signature })));
}

const signedBytes = (unsigned: object): Buffer => Buffer.concat([CONTEXT, Buffer.from(canonicalJson(unsigned))]);

/** Returns the entry, or what is wrong with it. */
export function readEntry(bytes: Uint8Array, head: ChainHead, key: KeyObject | null): ChainEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return 'is not JSON';
  }
  const { data: entry } = entrySchema.safeParse(value);
  if (entry === undefined) return 'is not an entry of the chain';
  if (!Buffer.from(canonicalJson(entry)).equals(bytes)) return 'is not written as an entry is';
  const { signature, ...unsigned } = entry;
  if (key !== null && !verify(null, signedBytes(unsigned), key, Buffer.from(signature, 'hex')))
    return 'its signature does not fit';
  if (entry.sequence !== head.sequence + 1) return `is entry ${entry.sequence}, at the place of ${head.sequence + 1}`;
  if (entry.previous !== head.sha256) return 'does not follow the entry before it';
  return entry;
}
