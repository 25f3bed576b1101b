import avro from 'avsc';
import { SchemaError } from '../errors.ts';
import { RELEASED } from '../generated/released.generated.ts';
import type { RecordTypes } from '../generated/types.generated.ts';
import { asBuffer } from '../values/bytes.ts';
import { boundsOf } from './bounds.ts';
import { identifySchema, type SchemaIdentity } from './canonical.ts';
import { fingerprint } from './fingerprint.ts';
import { releasedSchemas } from './history.ts';
import { portableSchema, type RecordName, recordNames, recordOfSchema, topicRecordNames, typeOf } from './schemas.ts';

/** Avro single-object encoding: C3 01, CRC-64-AVRO of the writer's schema (8 bytes, little-endian), body. */
export const FRAME_BYTES = 10;

const canonicalOf = (type: avro.Type): string => JSON.stringify(type.schema());

function frameOf(type: avro.Type): Buffer {
  return Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprint(canonicalOf(type))]);
}

interface Writer {
  readonly name: RecordName;
  readonly frame: Buffer;
  /** null: the writer has this program's schema */
  readonly type: avro.Type | null;
  readonly resolver: ReturnType<avro.Type['createResolver']> | null;
}

const frames = Object.fromEntries(recordNames.map((name) => [name, frameOf(typeOf(name))])) as Record<
  RecordName,
  Buffer
>;
const writers = new Map<string, Writer>(
  recordNames.map((name) => [
    frames[name].toString('latin1'),
    { name, frame: frames[name], type: null, resolver: null },
  ]),
);

/** Returns the 10 bytes that precede the body of a record of this program. */
export function frame(name: RecordName): Buffer {
  return frames[name];
}

/** Versions of all records together. Otherwise a program that may publish schemas could fill the memory with them. */
const MAX_WRITERS = 1000;
const learned = new Set<string>();

/**
 * Makes records of another version of `name` readable. Throws SchemaError if this program's schema can't resolve it, or
 * if it has the fingerprint of another schema.
 */
export function registerWriter(name: RecordName, schemaJson: string): void {
  learn(name, identifySchema(name, schemaJson), schemaJson);
}

/**
 * Makes records of a published schema readable. Returns null if the schema's name is not that of a known record. Throws
 * SchemaError if it is not an Avro schema, if this program's schema can't resolve it, or if it has the fingerprint of
 * another schema. The caller has verified who published it.
 */
export function learnSchema(schemaJson: string): { readonly name: RecordName; readonly fingerprint: string } | null {
  const identity = identifySchema('schema', schemaJson);
  const name = recordOfSchema(identity.name);
  if (name === undefined) return null;
  learn(name, identity, schemaJson);
  return { name, fingerprint: identity.fingerprint };
}

/** Returns the learned schemas in order, from number `from` on. A worker thread has to learn them again. */
export function learnedSchemas(from = 0): readonly string[] {
  return learned.size > from ? [...learned].slice(from) : [];
}

/** Returns whether records with this fingerprint (hex) can be read. */
export function isKnownSchema(print: string): boolean {
  return writerFor(keyOf(print)) !== undefined;
}

/**
 * `known`: this program has the schema, was released with it, or has learnt it. `conflict`: another schema has its
 * fingerprint, which does not happen by chance.
 */
export type SchemaStanding = 'known' | 'unknown' | 'conflict';

export function standingOf({ canonical, fingerprint: print, sha256 }: SchemaIdentity): SchemaStanding {
  const released = RELEASED.get(print);
  if (released !== undefined) return released === sha256 ? 'known' : 'conflict';
  const writer = writers.get(keyOf(print));
  if (writer === undefined) return 'unknown';
  return canonicalOf(writer.type ?? typeOf(writer.name)) === canonical ? 'known' : 'conflict';
}

/** Returns the first bytes of a record with this fingerprint (hex), as a key of `writers`. */
const keyOf = (print: string): string => `\u00c3\u0001${Buffer.from(print, 'hex').toString('latin1')}`;

function learn(name: RecordName, identity: SchemaIdentity, schemaJson: string): void {
  const standing = standingOf(identity);
  if (standing === 'known') return;
  if (standing === 'conflict')
    throw new SchemaError(
      'ERR_SCHEMA_CONFLICT',
      `${name}: another schema has the fingerprint ${identity.fingerprint} already; this one is ignored (SHA-256 ${identity.sha256})`,
    );
  // Released versions come first, so that no learnt schema takes the place of one of them.
  loadHistory();
  addWriter(name, compile(name, identity, schemaJson));
  learned.add(schemaJson);
}

/** Throws SchemaError if the Avro library reads the text in another way than `identifySchema`. */
function compile(label: string, { canonical }: SchemaIdentity, schemaJson: string): avro.Type {
  try {
    const type = avro.Type.forSchema(JSON.parse(schemaJson), { wrapUnions: 'auto' });
    if (canonicalOf(type) !== canonical) throw new Error('its canonical form is ambiguous');
    return type;
  } catch (cause) {
    throw new SchemaError('ERR_SCHEMA_UNKNOWN', `${label}: not an Avro schema: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function addWriter(name: RecordName, type: avro.Type): void {
  try {
    const bytes = frameOf(type);
    const key = bytes.toString('latin1');
    if (writers.has(key)) return;
    if (writers.size >= MAX_WRITERS) throw new Error(`more than ${MAX_WRITERS} schemas`);
    writers.set(key, { name, frame: bytes, type, resolver: typeOf(name).createResolver(type) });
  } catch (cause) {
    throw new SchemaError(
      'ERR_SCHEMA_UNKNOWN',
      `${name}: this version of the schema can't be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

let historyKnown = false;

/** Loads the released versions at the first unknown fingerprint, because most programs never need them. */
function writerFor(key: string): Writer | undefined {
  if (!writers.has(key)) loadHistory();
  return writers.get(key);
}

function loadHistory(): void {
  if (historyKnown) return;
  historyKnown = true;
  for (const { name, type } of releasedSchemas()) addWriter(name, type);
}

export interface WriterSchema {
  readonly name: RecordName;
  /** Hex */
  readonly fingerprint: string;
  /** JSON, self-contained */
  readonly schema: string;
}

/** Returns the schemas of all topics' records, by fingerprint (hex): a recording carries them. */
export function writerSchemas(): WriterSchema[] {
  return topicRecordNames.map((name) => ({
    name,
    fingerprint: frames[name].toString('hex', 2),
    schema: portableSchema(name),
  }));
}

function writerOf(name: RecordName, bytes: Uint8Array): Writer {
  if (bytes.length < FRAME_BYTES || bytes[0] !== 0xc3 || bytes[1] !== 0x01) {
    throw new SchemaError(
      'ERR_SCHEMA_FRAME',
      `${name}: not an Avro single object (${bytes.length} bytes; expected C3 01 and a fingerprint)`,
    );
  }
  const key = asBuffer(bytes).toString('latin1', 0, FRAME_BYTES);
  const writer = writerFor(key);
  if (writer === undefined || writer.name !== name) {
    const print = asBuffer(bytes).toString('hex', 2, FRAME_BYTES);
    const problem = writer === undefined ? 'is unknown' : `belongs to ${writer.name}`;
    throw new SchemaError(
      'ERR_SCHEMA_UNKNOWN',
      `${name}: the schema with fingerprint ${print} ${problem}; was the record written by a newer version?`,
    );
  }
  return writer;
}

export function encode<N extends RecordName>(name: N, value: RecordTypes[N]): Buffer {
  try {
    return Buffer.concat([frames[name], typeOf(name).toBuffer(value)]);
  } catch (cause) {
    throw new SchemaError('ERR_SCHEMA_VALUE', `${name}: ${(cause as Error).message}`, { cause });
  }
}

/** Throws SchemaError for a bad frame, an unknown schema, or bytes that don't match their schema. */
export function decode<N extends RecordName>(name: N, bytes: Uint8Array): RecordTypes[N] {
  const writer = writerOf(name, bytes);
  const body = asBuffer(bytes).subarray(FRAME_BYTES);
  try {
    boundsOf(writer.type ?? typeOf(name), body, 0);
    if (writer.type === null || writer.resolver === null) return typeOf(name).fromBuffer(body) as RecordTypes[N];
    return typeOf(name).fromBuffer(body, writer.resolver) as RecordTypes[N];
  } catch (cause) {
    throw new SchemaError(
      'ERR_SCHEMA_MALFORMED',
      `${name}: ${bytes.length} bytes don't match the schema: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

/**
 * Returns the record in this program's version of its schema, for readers in place. Returns the same bytes if they are
 * in this version already.
 */
export function toCurrentSchema(name: RecordName, bytes: Uint8Array): Buffer {
  return writerOf(name, bytes).type === null ? asBuffer(bytes) : encode(name, decode(name, bytes));
}

/** Walks and decodes a value of `type` at `at`. `offset` in the result is the end of the value. */
export function decodePart<T>(
  type: avro.Type,
  buffer: Buffer,
  at: number,
): { readonly value: T; readonly offset: number } {
  const offset = boundsOf(type, buffer, at);
  try {
    return { value: type.decode(buffer, at).value as T, offset };
  } catch (cause) {
    throw new SchemaError(
      'ERR_SCHEMA_MALFORMED',
      `${type.name}: bytes don't match the schema: ${(cause as Error).message}`,
      { cause },
    );
  }
}
