import avro from 'avsc';
import { SchemaError } from '../errors.ts';
import type { RecordTypes } from '../generated/types.generated.ts';
import { boundsOf } from './bounds.ts';
import { releasedSchemas } from './history.ts';
import { portableSchema, type RecordName, recordNames, topicRecordNames, typeOf } from './schemas.ts';

/** Avro single-object encoding: C3 01, CRC-64-AVRO of the writer's schema (8 bytes, little-endian), body. */
export const FRAME_BYTES = 10;

const CRC_EMPTY = 0xc15d213aa4d7a795n;
/** What a byte adds to a checksum: its low and its high 32 bits. BigInts would take 40 ms of each start. */
const CRC_LOW = new Uint32Array(256);
const CRC_HIGH = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? CRC_EMPTY : 0n);
  CRC_LOW[byte] = Number(crc & 0xffffffffn);
  CRC_HIGH[byte] = Number(crc >> 32n);
}

/** CRC-64-AVRO (Avro spec, "Schema Fingerprints") of a schema's canonical form. */
export function fingerprint(canonical: string): Buffer {
  let low = Number(CRC_EMPTY & 0xffffffffn);
  let high = Number(CRC_EMPTY >> 32n);
  for (const byte of Buffer.from(canonical, 'utf8')) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (CRC_LOW[index] as number);
    high = (high >>> 8) ^ (CRC_HIGH[index] as number);
  }
  const out = Buffer.alloc(8);
  out.writeInt32LE(low | 0, 0);
  out.writeInt32LE(high | 0, 4);
  return out;
}

function frameOf(type: avro.Type): Buffer {
  return Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprint(JSON.stringify(type.schema()))]);
}

interface Writer {
  readonly name: RecordName;
  readonly frame: Buffer;
  /** null: the writer's schema is ours */
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

/** The 10 bytes in front of a record that this program writes. */
export function frame(name: RecordName): Buffer {
  return frames[name];
}

/** A schema from outside is no longer than this; ours have at most 20,000 characters. */
const MAX_SCHEMA_CHARS = 256 * 1024;
/** Versions of all records together. Whoever may say schemas could otherwise fill the memory with them. */
const MAX_WRITERS = 1000;
const learnt = new Set<string>();

/** Makes records of another version of `name` readable. Throws SchemaError when no reader of ours can resolve it. */
export function registerWriter(name: RecordName, schemaJson: string): void {
  addWriter(name, parseSchema(name, schemaJson));
  learnt.add(schemaJson);
}

/**
 * Makes records of a schema that somebody else writes readable; its own name says of which record it is. null: of none that we know. Throws
 * SchemaError when it is no schema, or no reader of ours can resolve it.
 */
export function learnSchema(schemaJson: string): { readonly name: RecordName; readonly fingerprint: string } | null {
  const type = parseSchema('schema', schemaJson);
  const name = topicRecordNames.find((record) => type.name === `ringfence.${record}`);
  if (name === undefined) return null;
  const print = addWriter(name, type).toString('hex', 2);
  learnt.add(schemaJson);
  return { name, fingerprint: print };
}

/** What was learnt from outside, in order, from the `from`th on: a thread knows nothing of it until it is told. */
export function learntSchemas(from = 0): readonly string[] {
  return learnt.size > from ? [...learnt].slice(from) : [];
}

/** Whether records with this fingerprint (hex) can be read. */
export function knowsSchema(print: string): boolean {
  return writerFor(`\u00c3\u0001${Buffer.from(print, 'hex').toString('latin1')}`) !== undefined;
}

function parseSchema(what: string, schemaJson: string): avro.Type {
  try {
    if (schemaJson.length > MAX_SCHEMA_CHARS) throw new Error(`${schemaJson.length} characters are too many`);
    return avro.Type.forSchema(JSON.parse(schemaJson), { wrapUnions: 'auto' });
  } catch (cause) {
    throw new SchemaError('ERR_SCHEMA_UNKNOWN', `${what}: that is no Avro schema: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The frame of its records. */
function addWriter(name: RecordName, type: avro.Type): Buffer {
  try {
    const bytes = frameOf(type);
    const key = bytes.toString('latin1');
    if (writers.has(key)) return bytes;
    if (writers.size >= MAX_WRITERS) throw new Error(`more than ${MAX_WRITERS} schemas`);
    writers.set(key, { name, frame: bytes, type, resolver: typeOf(name).createResolver(type) });
    return bytes;
  } catch (cause) {
    throw new SchemaError(
      'ERR_SCHEMA_UNKNOWN',
      `${name}: this version can't be read by ours: ${(cause as Error).message}`,
      { cause },
    );
  }
}

let historyKnown = false;

/** Released versions are looked through when something is not ours: most programs never need them. */
function writerFor(key: string): Writer | undefined {
  if (!writers.has(key) && !historyKnown) {
    historyKnown = true;
    for (const { name, type } of releasedSchemas()) addWriter(name, type);
  }
  return writers.get(key);
}

/** Returns the schemas of all topics' records, by fingerprint (hex): a recording carries them. */
export function writerSchemas(): {
  readonly name: RecordName;
  readonly fingerprint: string;
  readonly schema: string;
}[] {
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
      `${name}: not an Avro single object (${bytes.length} bytes, want C3 01 and a fingerprint)`,
    );
  }
  const key = asBuffer(bytes).toString('latin1', 0, FRAME_BYTES);
  const writer = writerFor(key);
  if (writer === undefined || writer.name !== name) {
    const print = asBuffer(bytes).toString('hex', 2, FRAME_BYTES);
    const what = writer === undefined ? 'is not known here' : `is that of ${writer.name}`;
    throw new SchemaError(
      'ERR_SCHEMA_UNKNOWN',
      `${name}: the schema with fingerprint ${print} ${what}; was it written by a newer version?`,
    );
  }
  return writer;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encode<N extends RecordName>(name: N, value: RecordTypes[N]): Buffer {
  try {
    return Buffer.concat([frames[name], typeOf(name).toBuffer(value)]);
  } catch (cause) {
    throw new SchemaError('ERR_SCHEMA_VALUE', `${name}: ${(cause as Error).message}`, { cause });
  }
}

/** Throws SchemaError: bad frame, unknown schema, or bytes that don't fit it. */
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
      `${name}: ${bytes.length} bytes that don't fit its schema: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

/** The record in this program's own version of its schema: the same bytes when they are that already. Views in place need it. */
export function current(name: RecordName, bytes: Uint8Array): Buffer {
  return writerOf(name, bytes).type === null ? asBuffer(bytes) : encode(name, decode(name, bytes));
}
