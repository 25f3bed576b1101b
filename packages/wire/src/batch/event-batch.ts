import { decodePart, FRAME_BYTES, frame, toCurrentSchema } from '../avro/codec.ts';
import { ArrayBlocks, EventCursor } from '../avro/cursor.ts';
import { partialType } from '../avro/schemas.ts';
import { AvroWriter } from '../avro/writer.ts';
import type { Container, EventBatch } from '../generated/types.generated.ts';
import { eventIdPrefix } from '../ids.ts';
import { type SigningKey, signBytes, UNSIGNED } from '../signing.ts';
import { decodeText } from '../values/text.ts';
import { type ProcessInfo, ProcessList } from './process.ts';

export type EventBatchHead = Omit<EventBatch, 'events' | 'keyId' | 'signature'>;

const TAIL: readonly string[] = ['events', 'keyId', 'signature'];
const frontType = partialType('EventBatch', 'Front', (field) => !TAIL.includes(field));
/** The head without the processes, which are read in place. */
const headType = partialType('EventBatch', 'Head', (field) => field !== 'processes' && !TAIL.includes(field));

/** Walks EventBatch records in place. One view represents each event in turn; `cursor` reads the fields of its body. */
export class EventView {
  readonly cursor: EventCursor = new EventCursor();
  head!: Omit<EventBatchHead, 'processes'>;
  #processes!: ProcessList;
  #peers: ReadonlyMap<string, readonly string[]> | undefined;
  process: ProcessInfo | undefined;
  container: Container | undefined;
  /** On exec: the process that last wrote the executable. */
  writer: ProcessInfo | undefined;
  /** µs between that write and the exec; -1 when unknown. */
  writtenAgo = -1;
  /** Number of the event in its batch, from 0. */
  index = -1;
  #partialAt = 0;
  #partialLength = 0;
  /** Prefix of the ids of this batch's events; undefined until an id is read. */
  #idPrefix: string | undefined;
  /** Id of the current event, because several sequences read it; undefined until it is read. */
  #id: string | undefined;
  readonly #blocks = new ArrayBlocks(this.cursor);

  /** Opens a batch. Throws SchemaError. The bytes must not change while they are read. */
  open(bytes: Uint8Array): void {
    const buffer = toCurrentSchema('EventBatch', bytes);
    const { value, offset } = decodePart<EventView['head']>(headType, buffer, FRAME_BYTES);
    this.head = value;
    this.#peers = undefined;
    this.#idPrefix = undefined;
    this.index = -1;
    this.cursor.reset(buffer, offset);
    this.#processes = new ProcessList(this.cursor);
    this.#blocks.open();
  }

  /** Moves to the next event; false after the last. */
  next(): boolean {
    if (!this.#blocks.more()) return false;
    const { cursor } = this;
    const processes = this.#processes;
    this.process = processes.at(cursor.long());
    const container = cursor.long();
    // Reading index -1 of an array is a slow look-up by name, and most events have no container.
    this.container = container < 0 ? undefined : this.head.containers[container];
    this.writer = processes.at(cursor.long());
    this.writtenAgo = cursor.long();
    this.#partialLength = cursor.long();
    this.#partialAt = cursor.at;
    cursor.skip(this.#partialLength);
    cursor.readEvent();
    this.index++;
    this.#id = undefined;
    return true;
  }

  /** Why the enrichment is partial; empty when it is complete. */
  get partial(): string {
    return this.#partialLength === 0
      ? ''
      : decodeText(this.cursor.buffer, this.#partialAt, this.#partialAt + this.#partialLength);
  }

  /**
   * Returns the names that programs resolved to an address of this event, newest first; undefined when there are none.
   */
  namesOf(address: string): readonly string[] | undefined {
    if (this.head.peers.length === 0) return undefined;
    this.#peers ??= new Map(this.head.peers.map((peer) => [`${peer.address}/${peer.container}`, peer.names]));
    return this.#peers.get(`${address}/${this.container?.id ?? ''}`);
  }

  /** µs since the epoch. */
  get timestamp(): number {
    return this.cursor.ktime + this.head.wallOffset;
  }

  get id(): string {
    if (this.#id !== undefined) return this.#id;
    const { lane, cpu, sequence } = this.cursor;
    this.#idPrefix ??= eventIdPrefix(this.head);
    this.#id = `${this.#idPrefix}${lane}/${cpu}/${sequence}`;
    return this.#id;
  }
}

/** Collects the enriched events of a RawBatch. Reused for each batch. */
export class EventBatchWriter {
  readonly #events = new AvroWriter();
  readonly #whole = new AvroWriter();
  count = 0;

  /**
   * Appends an event. `raw[start, end)` is the event as encoded in its RawBatch, and is copied unchanged. `process`,
   * `container` and `writer` are indexes in the head's arrays; -1 for none.
   */
  add(
    process: number,
    container: number,
    writer: number,
    writtenAgo: number,
    partial: string,
    raw: Buffer,
    start: number,
    end: number,
  ): void {
    const out = this.#events;
    out.ensure(64);
    out.long(process);
    out.long(container);
    out.long(writer);
    out.long(writtenAgo);
    if (partial === '') out.long(0);
    else out.string(partial);
    out.append(raw, start, end);
    this.count++;
  }

  /** Returns the framed record, signed with `key` unless that is null, and resets the writer. */
  finish(head: EventBatchHead, key: SigningKey | null = null): Buffer {
    const out = this.#whole;
    out.at = 0;
    out.append(frame('EventBatch'));
    out.value(frontType, head);
    out.ensure(10);
    if (this.count > 0) {
      out.long(this.count);
      out.append(this.#events.buffer, 0, this.#events.at);
    }
    out.ensure(1);
    out.long(0);
    out.string(key?.keyId ?? '');
    out.append(key === null ? UNSIGNED.signature : signBytes(key, out.buffer.subarray(0, out.at)));
    this.reset();
    return out.take();
  }

  reset(): void {
    this.#events.at = 0;
    this.count = 0;
  }
}
