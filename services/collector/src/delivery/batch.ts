import type { EventSink } from '@ringfence/sensor';
import {
  type AvroWriter,
  type EventHead,
  LANE,
  type LaneCounters,
  RawBatchReader,
  RawBatchWriter,
  records,
  type SigningKey,
  signBytes,
} from '@ringfence/wire';

const { CPUS_MAX } = records.CountersLimit;
const LANES_MAX = 32;

/** Number of a batch's events by lane and CPU; a dropped batch is counted by it. */
export type Tally = readonly (readonly [lane: number, cpu: number, events: number])[];

/** A full spool drops bulk batches first, so that executions outlive file accesses. */
export type BatchClass = 'security' | 'bulk';

/** A signed RawBatch with the facts that the outbox needs of it. */
export interface SignedBatch {
  readonly bytes: Buffer;
  /** Number of events */
  readonly events: number;
  readonly batchClass: BatchClass;
  readonly tally: Tally;
}

/** Fields of every batch's head and end; the values at the time of signing count. */
export interface BatchFacts {
  interestVersion: number;
  /** µs */
  wallOffset: number;
}

export interface BatchOrigin {
  readonly hostId: string;
  readonly bootId: string;
  readonly run: Uint8Array;
  readonly agentVersion: string;
}

/** The batch being filled. Counts its events by lane and CPU, so that a loss can be reported exactly. */
export class Batch implements EventSink {
  readonly facts: BatchFacts = { interestVersion: 0, wallOffset: 0 };
  readonly #writer: RawBatchWriter;
  readonly #key: SigningKey;
  readonly #maxBytes: number;
  readonly #versionOf: (generation: number) => number;
  readonly #counts = new Uint32Array(LANES_MAX * CPUS_MAX);
  /** Slots of `#counts` that are not 0 */
  readonly #touched: number[] = [];
  #finished: SignedBatch[] = [];
  #lanes: readonly LaneCounters[] = [];
  #generation = 0;

  /**
   * @param maxBytes size of the events after which a batch ends; the event that reaches it is still included
   * @param versionOf returns the version of an interest by its generation. @default always 0
   */
  constructor(
    origin: BatchOrigin,
    key: SigningKey,
    maxBytes: number,
    versionOf: (generation: number) => number = () => 0,
  ) {
    this.#writer = new RawBatchWriter(origin);
    this.#key = key;
    this.#maxBytes = maxBytes;
    this.#versionOf = versionOf;
  }

  begin(head: Readonly<EventHead>): AvroWriter {
    if (this.#writer.bytes >= this.#maxBytes) this.split();
    const slot = head.lane * CPUS_MAX + head.cpu;
    if (this.#counts[slot] === 0) this.#touched.push(slot);
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
    return this.#writer.begin(head);
  }

  filteredIn(generation: number): void {
    if (generation === this.#generation) return;
    this.split();
    this.#generation = generation;
    this.facts.interestVersion = this.#versionOf(generation);
  }

  /** Sets the counters that the current batch carries; it also holds their tick. */
  setLanes(lanes: readonly LaneCounters[]): void {
    this.#lanes = lanes;
  }

  /** Signs the current batch unless it is empty; later events go into a new one. */
  split(): void {
    const { count } = this.#writer;
    if (count === 0) return;
    const tally = this.#touched.map((slot) => [slot >> 8, slot & 0xff, this.#counts[slot] as number] as const);
    for (const slot of this.#touched) this.#counts[slot] = 0;
    this.#touched.length = 0;
    const sign = (bytes: Uint8Array): Uint8Array => signBytes(this.#key, bytes);
    const bytes = this.#writer.finish({
      ...this.facts,
      sentAt: Date.now() * 1000,
      lanes: this.#lanes,
      keyId: this.#key.keyId,
      sign,
    });
    this.#lanes = [];
    this.#finished.push({ bytes, events: count, batchClass: classOf(tally), tally });
  }

  /** Signs the current batch and returns all batches signed since the last call. */
  takeFinished(): readonly SignedBatch[] {
    this.split();
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }
}

const classOf = (tally: Tally): BatchClass => (tally.every(([lane]) => lane === LANE.bulk) ? 'bulk' : 'security');

/** Counts the events of a framed, signed RawBatch that `Batch` did not fill. Throws SchemaError. */
export function toSignedBatch(bytes: Buffer): SignedBatch {
  const reader = new RawBatchReader();
  const counts = new Map<string, [lane: number, cpu: number, events: number]>();
  let events = 0;
  reader.open(bytes);
  for (; reader.next(); events++) {
    const { lane, cpu } = reader.cursor;
    const slot = counts.get(`${lane}/${cpu}`) ?? [lane, cpu, 0];
    slot[2]++;
    counts.set(`${lane}/${cpu}`, slot);
  }
  const tally = [...counts.values()];
  return { bytes, events, batchClass: classOf(tally), tally };
}
