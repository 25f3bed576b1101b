import type { RecordSource } from '@ringfence/sensor';
import { transcode } from '@ringfence/sensor/parts';
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
import { sample } from '../../../packages/sensor/test/records.ts';
import { Batch } from '../../../services/collector/src/steps/batch.ts';

const FRAME = 10;
const BATCH_BYTES = 512 * 1024;
const END = { interestVersion: 0, wallOffset: 0, sentAt: 0, lanes: [], keyId: '0123456789abcdef' };

/** The same work by our codec and by avsc; both return something that depends on all of it. */
export interface Case {
  readonly name: string;
  readonly events: number;
  readonly ours: () => number;
  readonly avsc: () => number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** What the collector does with an open, the most frequent record of the kernel. For avsc an object is made of it first. */
export function kernelCases(): Case[] {
  const opens = openRecords();
  // One stretch of memory, as the ring is.
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
        return sum(batch.takeFinished().map(({ events }) => events));
      },
      avsc: () => {
        let seen = 0;
        const finish = (): void => {
          seen += byAvsc.count;
          byAvsc.finish({ ...END, sign: (whole) => signBytes(key, whole) });
        };
        eachOpen((at) => {
          byAvsc.events.value(type, openEvent(source, at));
          byAvsc.count++;
          if (byAvsc.bytes >= BATCH_BYTES) finish();
        });
        finish();
        return seen;
      },
    },
  ];
}

/** Opens as the kernel writes them. */
export const openRecords = (): Buffer[] =>
  fc.sample(sample, { numRuns: 50_000, seed: 7 }).flatMap(({ record }) => (isOpen(record) ? [usual(record)] : []));

const isOpen = (record: Buffer): boolean =>
  record.length < 512 && records.headerKind(viewOf(record), 0) === records.Kind.OPEN;

/** Numbers as large as they are on a host that has been up for a day: what the property test draws is larger, and slower on both sides. */
function usual(record: Buffer): Buffer {
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

/** What transcode writes, as an object. */
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
      },
    },
  };
}

/** What the enricher asks of every event it passes on. */
export function rawCases(bytes: readonly Buffer[]): Case[] {
  const values = bytes.map((one) => decode('RawBatch', one));
  const events = sum(values.map((value) => value.events.length));
  const reader = new RawBatchReader();
  const type = typeOf('RawBatch');
  return [
    {
      name: 'RawBatch, read: sequence and exec of each event',
      events,
      ours: () => {
        let seen = 0;
        for (const one of bytes) {
          reader.open(one);
          while (reader.next()) seen += reader.cursor.sequence + reader.cursor.execId;
        }
        return seen;
      },
      avsc: () => {
        let seen = 0;
        for (const one of bytes) {
          const { events: all } = type.fromBuffer(one.subarray(FRAME)) as RawBatch;
          for (const { sequence, execId } of all) seen += sequence + execId;
        }
        return seen;
      },
    },
    {
      name: 'RawBatch, written event by event',
      events,
      ours: () => sum(bytes.map((one, i) => rewritten(reader, one, values[i] as RawBatch).length)),
      avsc: () => sum(values.map((value) => encode('RawBatch', value).length)),
    },
  ];
}

/** As the collector writes it, but for where the bodies come from: the kernel's records there, the batch here. */
function rewritten(
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

/** What rules ask of nearly every event: its kind, who, and the path of an open. */
export function enrichedCases(bytes: readonly Buffer[]): Case[] {
  const values = bytes.map((one) => decode('EventBatch', one));
  const events = sum(values.map((value) => value.events.length));
  const view = new EventView();
  const path = leaf.Open.pathBytes;
  const eventType = typeOf('Event');
  const rawEvents = values.map((value) => value.events.map(({ event }) => eventType.toBuffer(event)));
  return [
    {
      name: 'EventBatch, read: executable, uid, path of opens',
      events,
      ours: () => {
        let seen = 0;
        for (const one of bytes) {
          view.open(one);
          while (view.next()) {
            const { process: who, cursor } = view;
            if (who !== undefined) seen += who.executable.length + who.uid;
            if (cursor.kind === KIND.Open) seen += cursor.leafText(path).length;
          }
        }
        return seen;
      },
      avsc: () =>
        sum(bytes.map((one) => readWhole(typeOf('EventBatch').fromBuffer(one.subarray(FRAME)) as EventBatch))),
    },
    {
      name: 'EventBatch, written',
      events,
      ours: () => sum(values.map((value, i) => rewrittenBatch(value, rawEvents[i] as Buffer[]))),
      avsc: () => sum(values.map((value) => encode('EventBatch', value).length)),
    },
  ];
}

/** As the enricher writes it: the events are bytes of the RawBatch. */
function rewrittenBatch({ events, ...head }: EventBatch, raw: readonly Buffer[]): number {
  for (const [i, { process: who, container, writer, writtenAgo, partial }] of events.entries()) {
    const bytes = raw[i] as Buffer;
    batchWriter.add(who, container, writer, writtenAgo, partial, bytes, 0, bytes.length);
  }
  return batchWriter.finish(head).length;
}

const batchWriter = new EventBatchWriter();

function readWhole({ events, processes }: EventBatch): number {
  let seen = 0;
  for (const { process: who, event } of events) {
    const found: Process | undefined = processes[who];
    if (found !== undefined) seen += text(found.executable).length + found.credentials.uid;
    const { body } = event as Event & { body: { 'ringfence.Open'?: { path: { bytes: Uint8Array } } } };
    const open = body['ringfence.Open'];
    if (open !== undefined) seen += text(open.path.bytes).length;
  }
  return seen;
}

const text = (bytes: Uint8Array): string => decodeText(bytes as Buffer, 0, bytes.length);
