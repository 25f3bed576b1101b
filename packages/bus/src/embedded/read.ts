import type { InRecord, ReadOptions } from '../port.ts';
import type { PartitionReader } from './partition-reader.ts';

/** The partitions to read, in the writing process or in another one. */
export interface ReadSource {
  readonly partitions: readonly PartitionReader[];
  /** Resolves when new records may exist, or `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void>;
  /** Whether the bus was closed meanwhile. */
  closed(): boolean;
}

const CHUNK_RECORDS = 64;
const CHUNK_BYTES = 2 ** 20;

interface Cursor {
  readonly reader: PartitionReader;
  position: number;
  /** Reading ends before this offset. Infinity when following. */
  readonly end: number;
  /** Fetched records, newest first, so that they can be popped. */
  readonly buffer: InRecord[];
}

/** Reads all partitions, each in order, merged by time as far as records are available. */
export async function* readTopic(source: ReadSource, options: ReadOptions): AsyncGenerator<InRecord, void, undefined> {
  const follow = options.follow ?? false;
  const cursors = source.partitions.map((reader) => cursorAt(reader, options.from ?? 'earliest', follow));
  while (!source.closed() && !options.signal?.aborted) {
    for (const cursor of cursors) if (cursor.buffer.length === 0) fill(cursor);
    const next = oldest(cursors);
    if (next !== undefined) {
      yield next;
      continue;
    }
    if (!follow) return;
    await source.wait(options.signal);
  }
}

function cursorAt(reader: PartitionReader, from: 'earliest' | 'latest' | number, follow: boolean): Cursor {
  const { first, next } = reader.ends();
  const position = from === 'earliest' ? first : from === 'latest' ? next : reader.seek(from);
  return { reader, position, end: follow ? Infinity : next, buffer: [] };
}

function fill(cursor: Cursor): void {
  if (cursor.position >= cursor.end) return;
  const records = cursor.reader.fetch(cursor.position, CHUNK_RECORDS, CHUNK_BYTES);
  for (const record of records) if (record.offset < cursor.end) cursor.buffer.push(record);
  cursor.buffer.reverse();
  cursor.position = records.length === 0 ? cursor.position : records.at(-1)!.offset + 1;
}

function oldest(cursors: readonly Cursor[]): InRecord | undefined {
  let best: Cursor | undefined;
  for (const cursor of cursors) {
    const head = cursor.buffer.at(-1);
    if (head !== undefined && (best === undefined || head.timestamp < best.buffer.at(-1)!.timestamp)) best = cursor;
  }
  return best?.buffer.pop();
}
