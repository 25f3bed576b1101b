import { createPublicKey, type KeyObject } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { OperatorError } from '@ringfence/base';
import { learnedSchemas, registerWriter, writerSchemas } from './avro/codec.ts';
import { type RecordName, recordNames } from './avro/schemas.ts';
import { RawBatchReader } from './batch/raw-batch.ts';
import { SchemaError } from './errors.ts';
import { isSignedLines, TOPIC } from './topic/topics.ts';

/**
 * First line of a recording of a raw stream. A line of JSON follows (schemas of the writer, public keys of the hosts),
 * then the records as on the bus, framed RawBatches and signed log lines: length (u32, little-endian) and bytes.
 */
const MAGIC = 'RINGFENCE RECORDING 1\n';
const MAX_HEADER_BYTES = 4 << 20;
const MAX_RECORD_BYTES = 4 << 20;
const READ_AHEAD_BYTES = 1 << 20;

interface Header {
  readonly schemas: readonly { readonly name: string; readonly schema: string }[];
  /** Public keys in PEM, by host id: its newest. Of a host with several keys, also each by `keyOfHost`. */
  readonly enrolled: Readonly<Record<string, string>>;
}

/** Name in the header of one of several keys of a host. */
export const keyOfHost = (hostId: string, keyId: string): string => `${hostId}/${keyId}`;

export function recordingHeader(enrolled: ReadonlyMap<string, KeyObject>): Buffer {
  const keys = [...enrolled].map(([host, key]) => [host, key.export({ type: 'spki', format: 'pem' }).toString()]);
  const header: Header = { schemas: schemas(), enrolled: Object.fromEntries(keys) };
  return Buffer.from(`${MAGIC}${JSON.stringify(header)}\n`);
}

/** Returns this program's schemas and those of RawBatches that other versions wrote: batches are recorded unchanged. */
function schemas(): Header['schemas'] {
  const current = writerSchemas();
  const known = new Set(current.map(({ schema }) => schema));
  const added = learnedSchemas().filter((schema) => !known.has(schema) && nameOf(schema) === 'ringfence.RawBatch');
  return [...current, ...added.map((schema) => ({ name: 'RawBatch', schema }))];
}

const nameOf = (schema: string): unknown => (JSON.parse(schema) as { readonly name?: unknown }).name;

export function recordingEntry(record: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(record.length);
  return Buffer.concat([length, record]);
}

/**
 * Returns the topic and key of a recorded record. Throws SchemaError for a broken RawBatch, OperatorError for broken
 * log lines.
 */
export function routeOf(record: Buffer): { readonly topic: string; readonly key: string } {
  if (isSignedLines(record)) return { topic: TOPIC.logsRaw, key: hostOfLines(record) };
  const reader = new RawBatchReader();
  reader.open(record);
  return { topic: TOPIC.raw, key: reader.head.hostId };
}

function hostOfLines(record: Buffer): string {
  try {
    const head = JSON.parse(record.toString('utf8', 0, record.indexOf('\n'))) as { ringfence?: { host_id?: unknown } };
    const hostId = head.ringfence?.host_id;
    if (typeof hostId !== 'string') throw new TypeError('host_id is not a text');
    return hostId;
  } catch (cause) {
    throw new OperatorError(`log lines with a broken head: ${(cause as Error).message}`, { cause });
  }
}

export interface Recording extends AsyncDisposable {
  /** Public keys by host id: the newest of each. Of a host with several keys, also each by `keyOfHost`. */
  readonly enrolled: ReadonlyMap<string, KeyObject>;
  /** Yields framed RawBatches and signed log lines. Throws OperatorError at a record that is cut off. */
  records(): AsyncGenerator<Buffer>;
}

/**
 * Opens a recording and registers its schemas. Throws OperatorError if the file is not a recording, SchemaError for a
 * schema that can't be read.
 */
export async function openRecording(path: string): Promise<Recording> {
  const file = await openFile(path);
  try {
    const { header, end } = await readHeader(file, path);
    const enrolled = readContents(header, path);
    return { enrolled, records: () => readRecords(file, path, end), [Symbol.asyncDispose]: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Registers the schemas of the header, and returns its keys. Throws OperatorError for values of another type. */
function readContents({ schemas: found, enrolled }: Header, path: string): Map<string, KeyObject> {
  try {
    for (const { name, schema } of found)
      if ((recordNames as readonly string[]).includes(name)) registerWriter(name as RecordName, schema);
    return new Map(Object.entries(enrolled).map(([host, pem]) => [host, createPublicKey(pem)]));
  } catch (cause) {
    if (cause instanceof SchemaError) throw cause;
    throw new OperatorError(`${path} has a broken header: ${(cause as Error).message}`, { cause });
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Opening a pipe would block until a process opens it for writing.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new OperatorError('it is not a regular file');
  } catch (cause) {
    throw new OperatorError(`can't open the recording ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function readHeader(file: FileHandle, path: string): Promise<{ header: Header; end: number }> {
  const start = await readAt(file, 0, MAX_HEADER_BYTES);
  const line = start.indexOf('\n', MAGIC.length);
  if (start.toString('latin1', 0, MAGIC.length) !== MAGIC || line < 0) {
    throw new OperatorError(`${path} is not a recording: make one with ringfence record`);
  }
  try {
    const header = JSON.parse(start.toString('utf8', MAGIC.length, line)) as Header;
    if (!Array.isArray(header.schemas) || typeof header.enrolled !== 'object' || header.enrolled === null)
      throw new TypeError('no schemas or no keys');
    return { header, end: line + 1 };
  } catch (cause) {
    throw new OperatorError(`${path} has a broken header: ${(cause as Error).message}`, { cause });
  }
}

/** Reads up to `length` bytes at `position`. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** As `readAt`, for sequential reads: buffers more of the file than is requested. */
function readAhead(file: FileHandle): (position: number, length: number) => Promise<Buffer> {
  let from = 0;
  let buffered: Buffer = Buffer.alloc(0);
  return async (position, length) => {
    if (position < from || position + length > from + buffered.length) {
      buffered = await readAt(file, position, Math.max(length, READ_AHEAD_BYTES));
      from = position;
    }
    return buffered.subarray(position - from, position - from + length);
  };
}

async function* readRecords(file: FileHandle, path: string, from: number): AsyncGenerator<Buffer> {
  const read = readAhead(file);
  for (let at = from, n = 0; ; n++) {
    const head = await read(at, 4);
    if (head.length === 0) return;
    const length = head.length === 4 ? head.readUInt32LE() : -1;
    if (length < 1 || length > MAX_RECORD_BYTES)
      throw new OperatorError(
        `${path}: record ${n} at byte ${at} has an invalid length; the file is cut off or damaged`,
      );
    const record = await read(at + 4, length);
    if (record.length < length)
      throw new OperatorError(`${path}: record ${n} at byte ${at} is cut off: ${record.length} of ${length} bytes`);
    yield record;
    at += 4 + length;
  }
}
