import { type Backoff, backoffMs, withDeadline } from '@ringfence/base';
import { BadRecordError, BusClosedError } from '@ringfence/bus';
import { partitionName, type TopicPartition, type WireRecord } from './client/records.ts';
import { isRefusal, type Node, type Produced, type Wire, WireError } from './client/wire.ts';
import { type Cluster, toBusError } from './cluster/cluster.ts';
import type { Stats } from './stats.ts';

/**
 * Limit for an uncompressed batch. Below the default limit of brokers (1,048,588 bytes), in case compression fails to
 * shrink it.
 */
const MAX_BATCH_BYTES = 1_000_000;
/** Bytes of a record without key and value, approximately: framing, lengths, header. */
const RECORD_OVERHEAD = 64;
const MAX_REQUEST_BYTES = 8 * 2 ** 20;
const RETRY: Backoff = { firstMs: 20, maxMs: 2000 };

/** The part of a call that fits into one batch. */
interface Chunk {
  readonly records: readonly WireRecord[];
  readonly bytes: number;
  readonly call: Call;
  /** Called with the offset of the first record. */
  readonly onWritten: (baseOffset: number) => void;
}

/** A call of `send`. It ends when all its chunks are written, one cannot be written, or the deadline has passed. */
interface Call {
  isFinished: boolean;
  readonly fail: (error: Error) => void;
}

/** The chunks for one partition. Only one batch is in flight at a time, so that retries keep the order. */
interface PartitionQueue extends TopicPartition {
  readonly chunks: Chunk[];
  isBusy: boolean;
  lastError: WireError | null;
  attempt: number;
  /** The broker refused the last batch for its size: send a single chunk next. */
  isTooLarge: boolean;
  /** Earliest time of the next attempt, of performance.now(). */
  notBefore: number;
}

/**
 * Writes to partitions, each in order: acks of all in-sync replicas, retried until the deadline. Records that arrive
 * while a batch is in flight share the next batch.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #wire: Wire;
  readonly #stats: Stats;
  readonly #queues: Map<string, PartitionQueue> = new Map();
  readonly #busyNodes: Set<number> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #wakeAt = Infinity;
  #firstQueue = 0;
  #closed = false;

  constructor(cluster: Cluster, wire: Wire, stats: Stats) {
    this.#cluster = cluster;
    this.#wire = wire;
    this.#stats = stats;
  }

  /**
   * Resolves with the offset of the first record when all records are written. Rejects with BusUnavailableError after
   * the deadline (some records may be written), with BusRefusedError, or with BadRecordError when a record exceeds the
   * limit of the broker.
   */
  async send(
    at: TopicPartition,
    records: readonly WireRecord[],
    deadlineMs: number = this.#cluster.options.produceDeadlineMs,
  ): Promise<number> {
    if (this.#closed) throw new BusClosedError('the bus');
    const queue = this.#queueOf(at);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const call: Call = { isFinished: false, fail: reject };
    const batches = batchesOf(records);
    let [base, remaining] = [-1, batches.length];
    const onWritten = (offset: number): void => {
      if (base < 0) base = offset;
      if (--remaining === 0) resolve(base);
    };
    for (const batch of batches) queue.chunks.push({ ...batch, call, onWritten });
    this.#pump();
    try {
      return await withDeadline(promise, deadlineMs, () => {
        const error = queue.lastError ?? new WireError('TIMEOUT', `not acknowledged within ${deadlineMs} ms`);
        return toBusError(this.#describe(queue), error);
      });
    } finally {
      call.isFinished = true;
    }
  }

  #describe({ topic, partition }: TopicPartition): string {
    return `writing to ${this.#cluster.logical(topic)}/${partition}`;
  }

  /** Refuses new records and waits until the queues are empty. */
  async close(): Promise<void> {
    this.#closed = true;
    while ([...this.#queues.values()].some(({ chunks }) => chunks.length > 0))
      await new Promise((resolve) => setTimeout(resolve, 5));
    clearTimeout(this.#timer);
  }

  #queueOf(at: TopicPartition): PartitionQueue {
    const name = partitionName(at);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      const { topic, partition } = at;
      queue = {
        topic,
        partition,
        chunks: [],
        isBusy: false,
        lastError: null,
        attempt: 0,
        isTooLarge: false,
        notBefore: 0,
      };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  /** Sends one request to each idle broker, with one batch for each partition that it leads. */
  #pump(): void {
    for (const [node, queues] of this.#cluster.byLeader(this.#readyQueues())) {
      if (this.#busyNodes.has(node.id)) continue;
      let bytes = 0;
      const load = queues.flatMap((queue) => {
        if (bytes > MAX_REQUEST_BYTES) return [];
        const chunks = nextBatch(queue);
        bytes += chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
        return [{ queue, chunks }];
      });
      void this.#request(node, load);
    }
  }

  /** Returns the queues that can be sent now. Starts with another queue each time, so that none starves. */
  #readyQueues(): PartitionQueue[] {
    const now = performance.now();
    const queues = [...this.#queues.values()];
    const ready: PartitionQueue[] = [];
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[(this.#firstQueue + i) % queues.length]!;
      if (queue.isBusy) continue;
      dropFinished(queue);
      if (queue.chunks.length === 0) continue;
      if (queue.notBefore > now) this.#wakeIn(queue.notBefore - now);
      else if (this.#cluster.leader(queue) === null)
        this.#retryLater(queue, new WireError('LEADER_NOT_AVAILABLE', 'no leader'));
      else ready.push(queue);
    }
    this.#firstQueue++;
    return ready;
  }

  async #request(node: Node, load: readonly { queue: PartitionQueue; chunks: readonly Chunk[] }[]): Promise<void> {
    this.#busyNodes.add(node.id);
    for (const { queue } of load) queue.isBusy = true;
    const batches = load.map(({ queue: { topic, partition }, chunks }) => ({
      topic,
      partition,
      records: chunks.flatMap(({ records }) => records),
    }));
    let answers: ReadonlyMap<string, Produced> | WireError;
    try {
      const produced = await this.#wire.produce(node, batches);
      answers = new Map(produced.map((answer) => [partitionName(answer), answer]));
    } catch (error) {
      answers = error instanceof WireError ? error : new WireError('NETWORK', String(error), { cause: error });
    }
    this.#busyNodes.delete(node.id);
    for (const { queue, chunks } of load) {
      queue.isBusy = false;
      this.#complete(queue, chunks, answers instanceof WireError ? answers : answers.get(partitionName(queue)));
    }
    this.#pump();
  }

  #complete(queue: PartitionQueue, chunks: readonly Chunk[], answer: Produced | WireError | undefined): void {
    if (answer !== undefined && !(answer instanceof WireError) && answer.error === null) {
      queue.chunks.splice(0, chunks.length);
      queue.attempt = 0;
      queue.isTooLarge = false;
      queue.lastError = null;
      let offset = answer.baseOffset;
      for (const { records, bytes, onWritten } of chunks) {
        this.#stats.produced(records.length, bytes);
        onWritten(offset);
        offset += records.length;
      }
      return;
    }
    const error =
      answer instanceof WireError
        ? answer
        : new WireError(
            answer?.error ?? 'NETWORK',
            `${partitionName(queue)}: the broker answered ${answer?.error ?? 'without this partition'}`,
          );
    if (error.reason === 'MESSAGE_TOO_LARGE' || error.reason === 'RECORD_LIST_TOO_LARGE') this.#split(queue, chunks);
    else this.#retryLater(queue, error);
  }

  /** Makes the next batch smaller: one chunk instead of several, then half a chunk. A single record cannot be split. */
  #split(queue: PartitionQueue, chunks: readonly Chunk[]): void {
    const chunk = chunks[0]!;
    queue.isTooLarge = true;
    if (chunks.length > 1) return;
    if (chunk.records.length > 1) {
      queue.chunks.splice(0, 1, ...halvesOf(chunk));
      return;
    }
    queue.chunks.shift();
    const topic = this.#cluster.logical(queue.topic);
    chunk.call.fail(
      new BadRecordError(topic, 'it exceeds max.message.bytes of the topic: raise that setting to 2 MiB'),
    );
  }

  /** Schedules a retry with refreshed metadata. A refusal fails the calls instead: the next pump drops their chunks. */
  #retryLater(queue: PartitionQueue, error: WireError): void {
    queue.lastError = error;
    queue.isTooLarge = false;
    if (isRefusal(error.reason))
      for (const { call } of queue.chunks) call.fail(toBusError(this.#describe(queue), error));
    this.#stats.retried(error.reason);
    const pauseMs = backoffMs(queue.attempt++, RETRY);
    queue.notBefore = performance.now() + pauseMs;
    this.#wakeIn(pauseMs);
    void this.#cluster.tryRefresh();
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

/** Returns the chunks of the next batch. */
function nextBatch({ chunks, isTooLarge }: PartitionQueue): readonly Chunk[] {
  const batch = [chunks[0]!];
  if (isTooLarge) return batch;
  let { bytes } = chunks[0]!;
  for (const chunk of chunks.slice(1)) {
    bytes += chunk.bytes;
    if (bytes > MAX_BATCH_BYTES) break;
    batch.push(chunk);
  }
  return batch;
}

/** Halves a chunk. Its call is notified once, when both halves are written, with the offset of the first half. */
function halvesOf({ records, call, onWritten }: Chunk): Chunk[] {
  const middle = Math.ceil(records.length / 2);
  let base = -1;
  const onHalfWritten = (offset: number): void => {
    if (base < 0) base = offset;
    else onWritten(base);
  };
  return [records.slice(0, middle), records.slice(middle)].map((half) => ({
    records: half,
    bytes: sizeOf(half),
    call,
    onWritten: onHalfWritten,
  }));
}

/** Drops the chunks of calls that have ended: their callers write them again if they want to. */
function dropFinished({ chunks }: PartitionQueue): void {
  const remaining = chunks.filter(({ call }) => !call.isFinished);
  if (remaining.length < chunks.length) chunks.splice(0, chunks.length, ...remaining);
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
