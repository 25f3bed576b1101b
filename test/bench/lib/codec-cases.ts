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
  leafIndex,
  type Process,
  type RawBatch,
  RawBatchReader,
  RawBatchWriter,
  typeOf,
} from '@ringfence/schema';
import fc from 'fast-check';
import { Batch } from '../../../services/collector/src/steps/batch.ts';
import { transcode } from '../../../services/collector/src/steps/transcode.ts';
import { sample } from '../../../services/collector/test/records.ts';

const FRAME = 10;

/** The same work by our codec and by avsc; both return something that depends on all of it. */
export interface Case {
  readonly name: string;
  readonly events: number;
  readonly ours: () => number;
  readonly avsc: () => number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** What the collector does with each record of the kernel. avsc gets the finished object, which nobody has: it is ahead by what making it costs. */
export function kernelCases(): Case[] {
  const samples = fc.sample(sample, { numRuns: 20_000, seed: 7 }).filter(({ record }) => record.length < 1024);
  // One stretch of memory, as the ring is.
  const ring = Buffer.concat(samples.map(({ record }) => record));
  const source = { bytes: ring, view: new DataView(ring.buffer, ring.byteOffset, ring.length) };
  const origin = { hostId: 'h', bootId: 'b', run: Buffer.alloc(8), agentVersion: '1' };
  const batch = new Batch(origin, createSigningKey(), 512 * 1024);
  const type = typeOf('Event');
  const written = (): number => sum(batch.takeFinished().map(({ bytes }) => bytes.length));
  // Both count the events alone; the batches around them are of the next case.
  const bytes = sum(samples.map(({ event }) => type.toBuffer(event).length));
  return [
    {
      name: 'event of a kernel record, written',
      events: samples.length,
      ours: () => {
        let at = 0;
        for (const { record } of samples) {
          transcode(source, at, 0, false, batch);
          at += record.length;
        }
        return written() > bytes ? bytes : 0;
      },
      avsc: () => sum(samples.map(({ event }) => type.toBuffer(event).length)),
    },
  ];
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
    const { lane, cpu, sequence, ktime, late, tgid, tid } = cursor;
    writer.begin(lane, cpu, sequence, ktime, late, tgid, tid).append(cursor.buffer, cursor.startAt, cursor.eventEnd);
  }
  return writer.finish({ ...end, sign: () => end.signature });
}
const writers = new Map<string, RawBatchWriter>();

/** What rules ask of nearly every event: its kind, who, and the path of an open. */
export function enrichedCases(bytes: readonly Buffer[]): Case[] {
  const values = bytes.map((one) => decode('EventBatch', one));
  const events = sum(values.map((value) => value.events.length));
  const view = new EventView();
  const path = leafIndex('Open', 'path.bytes');
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
