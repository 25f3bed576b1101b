import { BadRecordError, BusClosedError } from '@ringfence/bus';
import { type Cluster, toBusError } from './cluster.ts';
import { backoffMs } from './deadline.ts';
import type { Stats } from './stats.ts';
import {
  isRefusal,
  type Node,
  type Produced,
  type TopicPartition,
  type Wire,
  WireError,
  type WireRecord,
} from './wire.ts';

/** A batch stays below what brokers take by default (1,048,588 bytes), whatever compression makes of it. */
export const MAX_BATCH_BYTES = 1_000_000;
/** What a record costs beside key and value: frame, lengths, our header. */
const RECORD_OVERHEAD = 64;
const MAX_REQUEST_BYTES = 8 * 2 ** 20;

/** Part of one call to one partition: what goes in one batch. */
interface Parcel {
  readonly records: readonly WireRecord[];
  readonly bytes: number;
  readonly call: Call;
  /** given where it lies in its call */
  readonly written: (baseOffset: number) => void;
}

/** Who waits, and how long: a call is over when all its parcels are written, one can't be, or its time is up. */
interface Call {
  over: boolean;
  readonly fail: (error: Error) => void;
}

/** What waits for one partition: one batch is on its way at a time, so order is kept whatever is tried again. */
interface Lane extends TopicPartition {
  readonly parcels: Parcel[];
  busy: boolean;
  lastError: WireError | null;
  attempt: number;
  /** of performance.now(): not tried before */
  notBefore: number;
}

/** Writes to partitions, each in order: acks of all in-sync replicas, tried again until the deadline. What comes while a batch is on its way shares the next one. */
export class Producer {
  readonly #cluster: Cluster;
  readonly #wire: Wire;
  readonly #stats: Stats;
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #busyNodes: Set<number> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #wakeAt = Infinity;
  #start = 0;
  #closed = false;

  constructor(cluster: Cluster, wire: Wire, stats: Stats) {
    this.#cluster = cluster;
    this.#wire = wire;
    this.#stats = stats;
  }

  /**
   * Resolves with the offset of the first record once all are written. Rejects with BusUnavailableError after the deadline (some may be written), with
   * BusRefusedError, or with BadRecordError when one is larger than the broker takes.
   */
  async send(
    at: TopicPartition,
    records: readonly WireRecord[],
    deadlineMs: number = this.#cluster.options.produceDeadlineMs,
  ): Promise<number> {
    if (this.#closed) throw new BusClosedError('the bus');
    const lane = this.#laneOf(at);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const call: Call = { over: false, fail: reject };
    const batches = batchesOf(records);
    let [base, left] = [-1, batches.length];
    const written = (offset: number): void => {
      if (base < 0) base = offset;
      if (--left === 0) resolve(base);
    };
    for (const batch of batches) lane.parcels.push({ ...batch, call, written });
    const timer = setTimeout(() => {
      const error = lane.lastError ?? new WireError('TIMEOUT', `not acknowledged within ${deadlineMs} ms`);
      reject(toBusError(this.#what(lane), error));
    }, deadlineMs);
    this.#pump();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      call.over = true;
    }
  }

  #what({ topic, partition }: TopicPartition): string {
    return `writing to ${this.#cluster.logical(topic)}/${partition}`;
  }

  /** Waits for what is on its way; refuses what comes after. */
  async close(): Promise<void> {
    this.#closed = true;
    while ([...this.#lanes.values()].some(({ parcels }) => parcels.length > 0))
      await new Promise((resolve) => setTimeout(resolve, 5));
    clearTimeout(this.#timer);
  }

  #laneOf({ topic, partition }: TopicPartition): Lane {
    const name = `${topic}/${partition}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { topic, partition, parcels: [], busy: false, lastError: null, attempt: 0, notBefore: 0 };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  /** Sends what can be sent now: one request at a time to a broker, with one batch of each partition it leads. */
  #pump(): void {
    const now = performance.now();
    const lanes = [...this.#lanes.values()];
    const ready: Lane[] = [];
    for (let i = 0; i < lanes.length; i++) {
      const lane = lanes[(this.#start + i) % lanes.length]!;
      if (lane.busy) continue;
      // Nobody waits for it any more, and whoever wanted it written writes it again.
      dropOver(lane);
      if (lane.parcels.length === 0) continue;
      if (lane.notBefore > now) this.#wakeIn(lane.notBefore - now);
      else if (this.#cluster.leader(lane) === null)
        this.#later(lane, new WireError('LEADER_NOT_AVAILABLE', 'no leader'));
      else ready.push(lane);
    }
    this.#start++;
    for (const [node, own] of this.#cluster.byLeader(ready)) {
      if (this.#busyNodes.has(node.id)) continue;
      let bytes = 0;
      const load = own.flatMap((lane) => {
        if (bytes > MAX_REQUEST_BYTES) return [];
        const parcels = takeBatch(lane);
        bytes += parcels.reduce((sum, parcel) => sum + parcel.bytes, 0);
        return [{ lane, parcels }];
      });
      void this.#request(node, load);
    }
  }

  async #request(node: Node, load: readonly { lane: Lane; parcels: readonly Parcel[] }[]): Promise<void> {
    this.#busyNodes.add(node.id);
    for (const { lane } of load) lane.busy = true;
    const batches = load.map(({ lane: { topic, partition }, parcels }) => ({
      topic,
      partition,
      records: parcels.flatMap(({ records }) => records),
    }));
    let answers: ReadonlyMap<string, Produced> | WireError;
    try {
      const produced = await this.#wire.produce(node, batches);
      answers = new Map(produced.map((one) => [`${one.topic}/${one.partition}`, one]));
    } catch (error) {
      answers = error instanceof WireError ? error : new WireError('NETWORK', String(error), { cause: error });
    }
    this.#busyNodes.delete(node.id);
    for (const { lane, parcels } of load) {
      lane.busy = false;
      this.#settle(
        lane,
        parcels,
        answers instanceof WireError ? answers : answers.get(`${lane.topic}/${lane.partition}`),
      );
    }
    this.#pump();
  }

  #settle(lane: Lane, parcels: readonly Parcel[], answer: Produced | WireError | undefined): void {
    if (answer !== undefined && !(answer instanceof WireError) && answer.error === null) {
      lane.parcels.splice(0, parcels.length);
      lane.attempt = 0;
      lane.lastError = null;
      let offset = answer.baseOffset;
      for (const { records, bytes, written } of parcels) {
        this.#stats.produced(records.length, bytes);
        written(offset);
        offset += records.length;
      }
      return;
    }
    const error =
      answer instanceof WireError
        ? answer
        : new WireError(
            answer?.error ?? 'NETWORK',
            `${lane.topic}/${lane.partition}: the broker says ${answer?.error}`,
          );
    if (error.reason === 'MESSAGE_TOO_LARGE' || error.reason === 'RECORD_LIST_TOO_LARGE') this.#divide(lane, parcels);
    else this.#later(lane, error);
  }

  /** The broker takes less than we thought: half of it at a time. */
  #divide(lane: Lane, parcels: readonly Parcel[]): void {
    const [first] = parcels;
    if (parcels.length > 1) lane.attempt = -1;
    else if (first!.records.length === 1) {
      lane.parcels.shift();
      const topic = this.#cluster.logical(lane.topic);
      first!.call.fail(
        new BadRecordError(topic, 'it is larger than max.message.bytes of the topic: raise that to 2 MiB'),
      );
    } else lane.parcels.splice(0, 1, ...halvesOf(first!));
  }

  /** Tried again after a pause, with fresh leaders; what is refused is given back. */
  #later(lane: Lane, error: WireError): void {
    lane.lastError = error;
    if (isRefusal(error.reason)) for (const { call } of lane.parcels) call.fail(toBusError(this.#what(lane), error));
    // A call that has failed is over a moment later; its parcels go with the next look.
    this.#stats.retried(error.reason);
    const pauseMs = backoffMs(Math.max(0, lane.attempt++), 20, 2000);
    lane.notBefore = performance.now() + pauseMs;
    this.#wakeIn(pauseMs);
    this.#cluster.refresh().catch((failure: unknown) => {
      // The next try tells the same, and counts it.
      if (!(failure instanceof WireError)) throw failure;
    });
  }

  #wakeIn(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#wakeAt) return;
    clearTimeout(this.#timer);
    this.#wakeAt = at;
    this.#timer = setTimeout(() => {
      this.#wakeAt = Infinity;
      this.#pump();
    }, ms);
  }
}

/** The parcels of the next batch; after a refusal for size, one alone. */
function takeBatch(lane: Lane): readonly Parcel[] {
  const parcels = [lane.parcels[0]!];
  let { bytes } = parcels[0]!;
  if (lane.attempt === -1) return parcels;
  for (const parcel of lane.parcels.slice(1)) {
    bytes += parcel.bytes;
    if (bytes > MAX_BATCH_BYTES) break;
    parcels.push(parcel);
  }
  return parcels;
}

/** Both halves together are what the whole was to its call. */
function halvesOf({ records, call, written }: Parcel): Parcel[] {
  const middle = Math.ceil(records.length / 2);
  let base = -1;
  const halves = [records.slice(0, middle), records.slice(middle)];
  const one = (offset: number): void => {
    if (base < 0) base = offset;
    else written(base);
  };
  return halves.map((own) => ({ records: own, bytes: sizeOf(own), call, written: one }));
}

function dropOver({ parcels }: Lane): void {
  const kept = parcels.filter(({ call }) => !call.over);
  if (kept.length < parcels.length) parcels.splice(0, parcels.length, ...kept);
}

const sizeOf = (records: readonly WireRecord[]): number =>
  records.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0) + RECORD_OVERHEAD, 0);

function batchesOf(records: readonly WireRecord[]): { records: readonly WireRecord[]; bytes: number }[] {
  const batches: { records: WireRecord[]; bytes: number }[] = [];
  for (const record of records) {
    const bytes = sizeOf([record]);
    const last = batches.at(-1);
    if (last === undefined || last.bytes + bytes > MAX_BATCH_BYTES) batches.push({ records: [record], bytes });
    else {
      last.records.push(record);
      last.bytes += bytes;
    }
  }
  return batches;
}
