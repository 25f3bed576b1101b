import { Batch } from '@ringfence/collector/batch';
import type { RecordSource } from '@ringfence/sensor';
import { transcode } from '@ringfence/sensor/parts';
import { sample } from '@ringfence/sensor/test/records';
import {
  createSigningKey,
  decode,
  decodeText,
  type Event,
  type EventBatch,
  EventBatchWriter,
  EventView,
  encode,
  KIND,
  leaf,
  nanosToMicros,
  type Process,
  type RawBatch,
  RawBatchReader,
  RawBatchWriter,
  records,
  signBytes,
  typeOf,
} from '@ringfence/wire';
import fc from 'fast-check';
import { sumOf } from './figures.ts';

const FRAME = 10;
const BATCH_BYTES = 512 * 1024;
const END = { interestVersion: 0, wallOffset: 0, sentAt: 0, lanes: [], keyId: '0123456789abcdef' };

/** The same work by our codec and by avsc. Both functions return a number that depends on the whole work. */
export interface Case {
  readonly name: string;
  readonly events: number;
  readonly ours: () => number;
  readonly avsc: () => number;
}

/** The collector's work for an open, the most frequent kernel record. avsc needs an event object first. */
export function kernelCases(): Case[] {
  const opens = openRecords();
  // One contiguous buffer, like the ring
  const bytes = Buffer.concat(opens);
  const source = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
  const origin = { hostId: 'h', bootId: 'b', run: Buffer.alloc(8), agentVersion: '1' };
  const key = createSigningKey();
  const batch = new Batch(origin, key, BATCH_BYTES);
  const byAvsc = new RawBatchWriter(origin);
  const type = typeOf('Event');
  const eachOpen = (visit: (at: number) => void): void => {
    let at = 0;
    for (const { length } of opens) {
      visit(at);
      at += length;
    }
  };
  return [
    {
      name: 'open as the kernel wrote it, transcoded',
      events: opens.length,
      ours: () => {
        eachOpen((at) => transcode(source, at, 0, false, batch));
        return sumOf(batch.takeFinished().map(({ events }) => events));
      },
      avsc: () => {
        let written = 0;
        const finish = (): void => {
          written += byAvsc.count;
          byAvsc.finish({ ...END, sign: (bytes) => signBytes(key, bytes) });
        };
        eachOpen((at) => {
          byAvsc.events.value(type, openEvent(source, at));
          byAvsc.count++;
          if (byAvsc.bytes >= BATCH_BYTES) finish();
        });
        finish();
        return written;
      },
    },
  ];
}

/** Returns opens as the kernel writes them. */
export const openRecords = (): Buffer[] =>
  fc
    .sample(sample, { numRuns: 50_000, seed: 7 })
    .flatMap(({ record }) => (isOpen(record) ? [withTypicalNumbers(record)] : []));

const isOpen = (record: Buffer): boolean =>
  record.length < 512 && records.headerKind(viewOf(record), 0) === records.Kind.OPEN;

/** Sets the numbers of a host that is up for a day. The property test's larger numbers slow both codecs down. */
function withTypicalNumbers(record: Buffer): Buffer {
  for (const at of [records.HEADER_TGID, records.HEADER_TID]) record.writeUInt32LE(4321, at);
  record.writeUInt16LE(1, records.HEADER_CPU);
  record.writeBigUInt64LE(70_000n, records.HEADER_SEQUENCE);
  record.writeBigUInt64LE(86_400_123_456_789n, records.HEADER_KTIME);
  record.writeBigUInt64LE(9000n, records.HEADER_EXEC_ID);
  record.writeUInt32LE(66_306, records.OPEN_DEVICE);
  record.writeInt32LE(0o100000, records.OPEN_FLAGS);
  record.writeInt32LE(3, records.OPEN_RESULT);
  record.writeInt32LE(0, records.OPEN_MODE);
  return record;
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Returns the event that `transcode` writes as an object. */
function openEvent({ view, bytes }: RecordSource, at: number): Event {
  const fixed = (offset: number): Buffer => bytes.subarray(at + offset, at + offset + 8);
  const path = at + records.OPEN_PATH;
  const start = at + records.textOffset(view, path);
  return {
    lane: 0,
    cpu: records.headerCpu(view, at),
    sequence: records.headerSequenceHi(view, at) * 4294967296 + records.headerSequenceLo(view, at),
    ktime: nanosToMicros(bytes, at + records.HEADER_KTIME),
    late: false,
    tgid: records.headerTgid(view, at) | 0,
    tid: records.headerTid(view, at) | 0,
    start: fixed(records.HEADER_START),
    cgroup: fixed(records.HEADER_CGROUP),
    execId: records.headerExecIdHi(view, at) * 4294967296 + records.headerExecIdLo(view, at),
    body: {
      'ringfence.Open': {
        inode: fixed(records.OPEN_INODE),
        device: records.openDevice(view, at),
        flags: records.openFlags(view, at) | 0,
        result: records.openResult(view, at),
        mode: records.openMode(view, at) | 0,
        sourceCaller: records.openSourceCaller(view, at) !== 0,
        path: {
          bytes: bytes.subarray(start, start + records.textKept(view, path)),
          length: records.textLength(view, path),
        },
        count: records.openCount(view, at) | 0,
        reached: { bytes: bytes.subarray(start, start), length: 0 },
        received: false,
        created: records.openCreated(view, at) !== 0,
        rawPath: { bytes: bytes.subarray(start, start), length: 0 },
        realInode: fixed(records.OPEN_REAL_INODE),
        realDevice: records.openRealDevice(view, at),
        generation: records.openGeneration(view, at),
      },
    },
  };
}

/** The reads of the enricher for every event, and the collector's writes */
export function rawCases(bytes: readonly Buffer[]): Case[] {
  const values = bytes.map((batch) => decode('RawBatch', batch));
  const events = sumOf(values.map((value) => value.events.length));
  const reader = new RawBatchReader();
  const type = typeOf('RawBatch');
  return [
    {
      name: 'RawBatch, read: sequence and exec of each event',
      events,
      ours: () => {
        let total = 0;
        for (const batch of bytes) {
          reader.open(batch);
          while (reader.next()) total += reader.cursor.sequence + reader.cursor.execId;
        }
        return total;
      },
      avsc: () => {
        let total = 0;
        for (const batch of bytes) {
          const { events: all } = type.fromBuffer(batch.subarray(FRAME)) as RawBatch;
          for (const { sequence, execId } of all) total += sequence + execId;
        }
        return total;
      },
    },
    {
      name: 'RawBatch, written event by event',
      events,
      ours: () => sumOf(bytes.map((batch, i) => rewriteRawBatch(reader, batch, values[i] as RawBatch).length)),
      avsc: () => sumOf(values.map((value) => encode('RawBatch', value).length)),
    },
  ];
}

/** Writes a batch as the collector does, except that the event bodies come from a batch and not from kernel records. */
function rewriteRawBatch(
  reader: RawBatchReader,
  bytes: Buffer,
  { hostId, bootId, run, agentVersion, ...end }: RawBatch,
): Buffer {
  const writer = writers.get(hostId) ?? new RawBatchWriter({ hostId, bootId, run, agentVersion });
  writers.set(hostId, writer);
  reader.open(bytes);
  while (reader.next()) {
    const { cursor } = reader;
    writer.begin(cursor).append(cursor.buffer, cursor.startAt, cursor.eventEnd);
  }
  return writer.finish({ ...end, sign: () => end.signature });
}

const writers = new Map<string, RawBatchWriter>();

/** The reads of rules for nearly every event (its kind, its process, the path of an open), and the enricher's writes */
export function enrichedCases(bytes: readonly Buffer[]): Case[] {
  const values = bytes.map((batch) => decode('EventBatch', batch));
  const events = sumOf(values.map((value) => value.events.length));
  const view = new EventView();
  const path = leaf.Open.pathBytes;
  const eventType = typeOf('Event');
  const rawEvents = values.map((value) => value.events.map(({ event }) => eventType.toBuffer(event)));
  return [
    {
      name: 'EventBatch, read: executable, uid, path of opens',
      events,
      ours: () => {
        let total = 0;
        for (const batch of bytes) {
          view.open(batch);
          while (view.next()) {
            const { process, cursor } = view;
            if (process !== undefined) total += process.executable.length + process.uid;
            if (cursor.kind === KIND.Open) total += cursor.leafText(path).length;
          }
        }
        return total;
      },
      avsc: () =>
        sumOf(bytes.map((batch) => readAll(typeOf('EventBatch').fromBuffer(batch.subarray(FRAME)) as EventBatch))),
    },
    {
      name: 'EventBatch, written',
      events,
      ours: () => sumOf(values.map((value, i) => rewriteEventBatch(value, rawEvents[i] as Buffer[]))),
      avsc: () => sumOf(values.map((value) => encode('EventBatch', value).length)),
    },
  ];
}

/** Writes a batch as the enricher does, with the events as bytes of the RawBatch. */
function rewriteEventBatch({ events, ...head }: EventBatch, raw: readonly Buffer[]): number {
  for (const [i, { process, container, writer, writtenAgo, partial }] of events.entries()) {
    const bytes = raw[i] as Buffer;
    batchWriter.add(process, container, writer, writtenAgo, partial, bytes, 0, bytes.length);
  }
  return batchWriter.finish(head).length;
}

const batchWriter = new EventBatchWriter();

function readAll({ events, processes }: EventBatch): number {
  let total = 0;
  for (const { process: index, event } of events) {
    const process: Process | undefined = processes[index];
    if (process !== undefined) total += text(process.executable).length + process.credentials.uid;
    const { body } = event as Event & { body: { 'ringfence.Open'?: { path: { bytes: Uint8Array } } } };
    const open = body['ringfence.Open'];
    if (open !== undefined) total += text(open.path.bytes).length;
  }
  return total;
}

const text = (bytes: Uint8Array): string => decodeText(bytes as Buffer, 0, bytes.length);
