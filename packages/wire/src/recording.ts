import { createPublicKey, type KeyObject } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { OperatorError } from '@ringfence/base';
import { learnedSchemas, registerWriter, writerSchemas } from './avro/codec.ts';
import { type RecordName, recordNames } from './avro/schemas.ts';
import { RawBatchReader } from './batch/raw-batch.ts';
import { isSignedLines, TOPIC } from './topic/topics.ts';

/**
 * A recorded raw stream: this line, a line of JSON (schemas of the writer, public keys of the hosts), then records: length (u32, little-endian) and a
 * framed RawBatch, or signed lines of a log, as it stood on the bus.
 */
const MAGIC = 'RINGFENCE RECORDING 1\n';
const MAX_HEADER_BYTES = 4 << 20;
const MAX_RECORD_BYTES = 4 << 20;
const READ_AHEAD_BYTES = 1 << 20;

interface Header {
  readonly schemas: readonly { readonly name: string; readonly schema: string }[];
  /** by host id, PEM */
  readonly enrolled: Readonly<Record<string, string>>;
}

export function recordingHeader(enrolled: ReadonlyMap<string, KeyObject>): Buffer {
  const keys = [...enrolled].map(([host, key]) => [host, key.export({ type: 'spki', format: 'pem' }).toString()]);
  const header: Header = { schemas: schemas(), enrolled: Object.fromEntries(keys) };
  return Buffer.from(`${MAGIC}${JSON.stringify(header)}\n`);
}

/** Ours, and those of batches that another version has written: they are recorded as they stood on the bus. */
function schemas(): Header['schemas'] {
  const ours = writerSchemas();
  const own = new Set(ours.map(({ schema }) => schema));
  const others = learnedSchemas().filter((schema) => !own.has(schema) && nameOf(schema) === 'ringfence.RawBatch');
  return [...ours, ...others.map((schema) => ({ name: 'RawBatch', schema }))];
}

const nameOf = (schema: string): unknown => (JSON.parse(schema) as { readonly name?: unknown }).name;

export function recordingEntry(record: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(record.length);
  return Buffer.concat([length, record]);
}

/** Where a record stood on the bus. Throws SchemaError when it is no RawBatch, OperatorError when it is no lines of a log. */
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
    if (typeof hostId !== 'string') throw new TypeError('host_id is no text');
    return hostId;
  } catch (cause) {
    throw new OperatorError(`lines of a log with a broken head: ${(cause as Error).message}`, { cause });
  }
}

export interface Recording extends AsyncDisposable {
  /** by host id */
  readonly enrolled: ReadonlyMap<string, KeyObject>;
  /** Framed RawBatches, and signed lines of logs. Throws OperatorError at a record that is cut off, after those before it. */
  records(): AsyncGenerator<Buffer>;
}

/** Opens a recording and makes its versions of the schemas known. Throws OperatorError when it is none. */
export async function openRecording(path: string): Promise<Recording> {
  const file = await openFile(path);
  try {
    const { header, end } = await readHeader(file, path);
    for (const { name, schema } of header.schemas) {
      if ((recordNames as readonly string[]).includes(name)) registerWriter(name as RecordName, schema);
    }
    const enrolled = new Map(Object.entries(header.enrolled).map(([host, pem]) => [host, createPublicKey(pem)]));
    return { enrolled, records: () => readRecords(file, path, end), [Symbol.asyncDispose]: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // A pipe would be waited for, until somebody writes to it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new OperatorError('it is no file');
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
    if (!Array.isArray(header.schemas) || typeof header.enrolled !== 'object')
      throw new TypeError('no schemas or no keys');
    return { header, end: line + 1 };
  } catch (cause) {
    throw new OperatorError(`${path} has a broken header: ${(cause as Error).message}`, { cause });
  }
}

/** Up to `length` bytes at `position`. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let have = 0;
  while (have < length) {
    const { bytesRead } = await file.read(buffer, have, length - have, position + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return buffer.subarray(0, have);
}

/** As `readAt`, for reading onwards: takes more from the file than is asked for. */
function readAhead(file: FileHandle): (position: number, length: number) => Promise<Buffer> {
  let from = 0;
  let held: Buffer = Buffer.alloc(0);
  return async (position, length) => {
    if (position < from || position + length > from + held.length) {
      held = await readAt(file, position, Math.max(length, READ_AHEAD_BYTES));
      from = position;
    }
    return held.subarray(position - from, position - from + length);
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
        `${path}: record ${n} at byte ${at} has no sensible length; the file is cut off or damaged`,
      );
    const record = await read(at + 4, length);
    if (record.length < length)
      throw new OperatorError(`${path}: record ${n} at byte ${at} is cut off: ${record.length} of ${length} bytes`);
    yield record;
    at += 4 + length;
  }
}
