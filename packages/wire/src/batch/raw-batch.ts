import { decodePart, FRAME_BYTES, frame, toCurrentSchema } from '../avro/codec.ts';
import { ArrayBlocks, EventCursor } from '../avro/cursor.ts';
import { partialType } from '../avro/schemas.ts';
import { AvroWriter } from '../avro/writer.ts';
import type { LaneCounters, RawBatch } from '../generated/types.generated.ts';

export type RawBatchHead = Omit<RawBatch, 'events' | 'keyId' | 'signature'>;
const TAIL: readonly string[] = ['events', 'keyId', 'signature'];

const headType = partialType('RawBatch', 'Head', (field) => !TAIL.includes(field));

/** Reads RawBatch records in place. Reused for each record. */
export class RawBatchReader {
  readonly cursor: EventCursor = new EventCursor();
  head!: RawBatchHead;
  readonly #blocks = new ArrayBlocks(this.cursor);

  /** Opens a record. Throws SchemaError. The bytes must not change while they are read. */
  open(bytes: Uint8Array): void {
    const buffer = toCurrentSchema('RawBatch', bytes);
    const { value, offset } = decodePart<RawBatchHead>(headType, buffer, FRAME_BYTES);
    this.head = value;
    this.cursor.reset(buffer, offset);
    this.#blocks.open();
  }

  /** Moves to the next event; false after the last. */
  next(): boolean {
    if (!this.#blocks.more()) return false;
    this.cursor.readEvent();
    return true;
  }

  /** Returns the id of the key that signed the batch. Call it only after the last event. */
  keyId(): string {
    const length = this.cursor.long();
    const start = this.cursor.at;
    this.cursor.skip(length);
    return this.cursor.buffer.toString('utf8', start, start + length);
  }
}

/** The first fields of every event. Writers reuse one object for all events, to allocate nothing per event. */
export interface EventHead {
  lane: number;
  cpu: number;
  sequence: number;
  /** µs, CLOCK_BOOTTIME */
  ktime: number;
  /** The event arrived after later events had been sent. */
  late: boolean;
  tgid: number;
  tid: number;
}

export interface RawBatchEnd {
  readonly interestVersion: number;
  readonly wallOffset: number;
  /** µs since the epoch, by the host's clock. */
  readonly sentAt: number;
  readonly lanes: readonly LaneCounters[];
  readonly keyId: string;
  /** Returns the Ed25519 signature of the bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** Collects the events of a host into a RawBatch. Reused for each batch. */
export class RawBatchWriter {
  /** After `begin`, the caller appends the event's `start`, `cgroup`, `execId`, kind and body here. */
  readonly events: AvroWriter = new AvroWriter();
  count = 0;
  /** The frame and the fields that are the same in every batch. */
  readonly #begin: Buffer;
  readonly #whole = new AvroWriter();

  constructor({ hostId, bootId, run, agentVersion }: Pick<RawBatch, 'hostId' | 'bootId' | 'run' | 'agentVersion'>) {
    const out = new AvroWriter();
    out.append(frame('RawBatch'));
    out.string(hostId);
    out.string(bootId);
    out.append(run);
    out.string(agentVersion);
    this.#begin = out.take();
  }

  /** Bytes of the events so far. */
  get bytes(): number {
    return this.events.at;
  }

  /** Writes the head of an event and reserves space for 256 bytes more. */
  begin(head: Readonly<EventHead>): AvroWriter {
    const out = this.events;
    out.ensure(320);
    out.long(head.lane);
    out.long(head.cpu);
    out.long(head.sequence);
    out.long(head.ktime);
    out.boolean(head.late);
    out.long(head.tgid);
    out.long(head.tid);
    this.count++;
    return out;
  }

  /** Returns the framed, signed record and resets the writer. */
  finish(end: RawBatchEnd): Buffer {
    const { sign, keyId } = end;
    const out = this.#whole;
    out.at = 0;
    out.append(this.#begin);
    out.ensure(40);
    out.long(end.interestVersion);
    out.long(end.wallOffset);
    out.long(end.sentAt);
    writeLanes(out, end.lanes);
    out.ensure(10);
    if (this.count > 0) {
      out.long(this.count);
      out.append(this.events.buffer, 0, this.events.at);
    }
    out.ensure(1);
    out.long(0);
    out.string(keyId);
    out.append(sign(out.buffer.subarray(0, out.at)));
    this.reset();
    return out.take();
  }

  reset(): void {
    this.events.at = 0;
    this.count = 0;
  }
}

function writeLanes(out: AvroWriter, lanes: readonly LaneCounters[]): void {
  if (lanes.length > 0) {
    out.ensure(10);
    out.long(lanes.length);
    for (const { lane, cpu, sequence, drops } of lanes) {
      out.ensure(40);
      out.long(lane);
      out.long(cpu);
      out.long(sequence);
      writeCounts(out, drops);
    }
  }
  out.ensure(1);
  out.long(0);
}

/** An Avro map of longs. */
function writeCounts(out: AvroWriter, counts: Readonly<Record<string, number>>): void {
  const names = Object.keys(counts);
  if (names.length > 0) out.long(names.length);
  for (const name of names) {
    out.string(name);
    out.ensure(11);
    out.long(counts[name] as number);
  }
  out.long(0);
}
