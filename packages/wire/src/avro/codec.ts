import avro from 'avsc';
import { SchemaError } from '../errors.ts';
import type { RecordTypes } from '../generated/types.generated.ts';
import { asBuffer } from '../values/bytes.ts';
import { boundsOf } from './bounds.ts';
import { releasedSchemas } from './history.ts';
import { portableSchema, type RecordName, recordNames, topicRecordNames, typeOf } from './schemas.ts';

/** Avro single-object encoding: C3 01, CRC-64-AVRO of the writer's schema (8 bytes, little-endian), body. */
export const FRAME_BYTES = 10;

const CRC_EMPTY = 0xc15d213aa4d7a795n;
/**
 * Contribution of each byte to the checksum: low and high 32 bits. With BigInts, each start would take 40 ms longer.
 */
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

/** Limit for schemas of other programs; this program's have at most 20,000 characters. */
const MAX_SCHEMA_CHARS = 256 * 1024;
/** Versions of all records together. Otherwise a program that may publish schemas could fill the memory with them. */
const MAX_WRITERS = 1000;
const learned = new Set<string>();

/**
 * Makes records of another version of `name` readable. Throws SchemaError if this program's schema can't resolve it.
 */
export function registerWriter(name: RecordName, schemaJson: string): void {
  addWriter(name, parseSchema(name, schemaJson));
  learned.add(schemaJson);
}

/**
 * Makes records of a published schema readable. Returns null if the schema's name is not that of a known record. Throws
 * SchemaError if it is not an Avro schema, or if this program's schema can't resolve it.
 */
export function learnSchema(schemaJson: string): { readonly name: RecordName; readonly fingerprint: string } | null {
  const type = parseSchema('schema', schemaJson);
  const name = topicRecordNames.find((record) => type.name === `ringfence.${record}`);
  if (name === undefined) return null;
  const print = addWriter(name, type).toString('hex', 2);
  learned.add(schemaJson);
  return { name, fingerprint: print };
}

/** Returns the learned schemas in order, from number `from` on. A worker thread has to learn them again. */
export function learnedSchemas(from = 0): readonly string[] {
  return learned.size > from ? [...learned].slice(from) : [];
}

/** Returns whether records with this fingerprint (hex) can be read. */
export function isKnownSchema(print: string): boolean {
  return writerFor(`\u00c3\u0001${Buffer.from(print, 'hex').toString('latin1')}`) !== undefined;
}

function parseSchema(label: string, schemaJson: string): avro.Type {
  try {
    if (schemaJson.length > MAX_SCHEMA_CHARS) throw new Error(`${schemaJson.length} characters are too many`);
    return avro.Type.forSchema(JSON.parse(schemaJson), { wrapUnions: 'auto' });
  } catch (cause) {
    throw new SchemaError('ERR_SCHEMA_UNKNOWN', `${label}: not an Avro schema: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Returns the frame of records with this schema. */
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
      `${name}: this version of the schema can't be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

let historyKnown = false;

/** Loads the released versions at the first unknown fingerprint, because most programs never need them. */
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
