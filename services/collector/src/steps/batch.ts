import type { EventSink } from '@ringfence/sensor';
import {
  type AvroWriter,
  type EventHead,
  LANE,
  type LaneCounters,
  RawBatchWriter,
  records,
  type SigningKey,
  signBytes,
} from '@ringfence/wire';
import type { Tally } from '../spool/segment.ts';
import type { SpoolClass } from '../spool/spool.ts';

const { CPUS_MAX } = records.CountersLimit;
const LANES_MAX = 32;

/** A signed RawBatch that is on its way. */
export interface Finished {
  readonly bytes: Buffer;
  readonly events: number;
  /** bulk: nothing but bulk events is in it, it may be dropped first */
  readonly kind: SpoolClass;
  readonly tally: Tally;
}

/** What goes into the head and the end of every batch, as it is at that moment. */
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

/** The batch that is being filled. Counts its events by lane and CPU, so that a loss can be told exactly. */
export class Batch implements EventSink {
  readonly facts: BatchFacts = { interestVersion: 0, wallOffset: 0 };
  readonly #writer: RawBatchWriter;
  readonly #key: SigningKey;
  readonly #counts = new Uint32Array(LANES_MAX * CPUS_MAX);
  readonly #touched: number[] = [];
  readonly #maxBytes: number;
  #finished: Finished[] = [];
  #lanes: readonly LaneCounters[] = [];
  #generation = 0;
  /** version of the interest that a record was filtered with, by its generation */
  versionOf: (generation: number) => number = () => 0;

  /** `maxBytes`: of events; the one that reaches it is the batch's last */
  constructor(origin: BatchOrigin, key: SigningKey, maxBytes: number) {
    this.#writer = new RawBatchWriter(origin);
    this.#key = key;
    this.#maxBytes = maxBytes;
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
    this.facts.interestVersion = this.versionOf(generation);
  }

  /** Counters travel with the tick that is in this batch. */
  setLanes(lanes: readonly LaneCounters[]): void {
    this.#lanes = lanes;
  }

  /** Signs what there is; what comes goes into a new batch. */
  split(): void {
    const { count } = this.#writer;
    if (count === 0) return;
    const tally = this.#touched.map((slot) => [slot >> 8, slot & 0xff, this.#counts[slot] as number] as const);
    const kind = tally.every(([lane]) => lane === LANE.bulk) ? 'bulk' : 'security';
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
    this.#finished.push({ bytes, events: count, kind, tally });
  }

  /** Everything since the last call, signed. */
  takeFinished(): readonly Finished[] {
    this.split();
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }
}
