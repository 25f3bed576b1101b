import { type KeyObject, randomBytes } from 'node:crypto';
import type { StateChange } from '@ringfence/bus';
import { partitionName, type WireRecord } from '../client/records.ts';
import type { Wire } from '../client/wire.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { endsOf, scan } from '../cluster/partition-scan.ts';
import type { Producer } from '../producer.ts';
import type { Stats } from '../stats.ts';
import { POSITION_KEY, positionRecord, stateKey } from './keys.ts';
import { RestoredState } from './restored-state.ts';
import { Seal } from './seal.ts';
import type { Stamp } from './stamp.ts';

/** A changelog partition that this member owns. */
interface OpenPartition {
  readonly seal: Seal;
  readonly epoch: number;
  sequence: number;
  /** Offset of the next write, unless another member writes first. */
  next: number;
  pendingWrites: number;
}

/**
 * `clean`: no other member has written since the previous write. `foreign`: a former owner has, and its records must be
 * replaced. `overtaken`: another member has opened the partition since.
 */
export type WriteOutcome = 'clean' | 'foreign' | 'overtaken';

/**
 * The state of one group: a compacted topic with as many partitions as the group's input. State changes and input
 * position of a commit are one record batch, so that neither is ever stored without the other.
 */
export class Changelog {
  readonly topic: string;
  readonly #key: KeyObject | null;
  readonly #cluster: Cluster;
  readonly #wire: Wire;
  readonly #producer: Producer;
  readonly #stats: Stats;
  readonly #writer: string = randomBytes(8).toString('hex');
  readonly #opened: Map<number, OpenPartition> = new Map();

  /** `topic` is the physical name; `key` seals the records. */
  constructor(
    topic: string,
    key: KeyObject | null,
    { cluster, wire, producer, stats }: { cluster: Cluster; wire: Wire; producer: Producer; stats: Stats },
  ) {
    this.topic = topic;
    this.#key = key;
    this.#cluster = cluster;
    this.#wire = wire;
    this.#producer = producer;
    this.#stats = stats;
  }

  /**
   * Reads a partition to its end and takes it over: a record with a new epoch invalidates later writes of former
   * owners. Rejects with WireError, BusUnavailableError and BusRefusedError.
   */
  async open(partition: number): Promise<RestoredState> {
    const at = { topic: this.topic, partition };
    const ends = await endsOf(this.#cluster, this.#wire, [at]);
    let { first: from, next: to } = ends.get(partitionName(at))!;
    const seal = new Seal(this.#key, at);
    const state = new RestoredState(seal);
    for (;;) {
      await scan(this.#cluster, this.#wire, { ...at, from, to }, (record) => state.add(record));
      const stamp = { epoch: state.epoch + 1, writer: this.#writer, sequence: 1 };
      const fence = [...repairs(seal, state, stamp), positionRecord(seal, stamp, state.positions)];
      this.#reportInvalid(partition, state);
      const base = await this.#producer.send(at, fence);
      if (base === to) {
        this.#opened.set(partition, { ...stamp, seal, next: base + fence.length, pendingWrites: 0 });
        return state;
      }
      // Another member wrote before the fence. Read its records, and open again with an epoch above them.
      [from, to] = [to, (await endsOf(this.#cluster, this.#wire, [at])).get(partitionName(at))!.next];
    }
  }

  #reportInvalid(partition: number, state: RestoredState): void {
    this.#stats.add('foreignStateWrites', state.foreign);
    if (state.unsealed > 0)
      this.#cluster.options.log?.warn(
        { topic: this.topic, partition, records: state.unsealed },
        "state records without a seal of this group's key are ignored",
      );
    [state.foreign, state.unsealed] = [0, 0];
  }

  /**
   * Writes state changes and position as one batch. Rejects with BusUnavailableError; the batch may be written then,
   * and writing it again does no harm.
   */
  async write(
    partition: number,
    changes: readonly StateChange[],
    positions: ReadonlyMap<string, number>,
  ): Promise<WriteOutcome> {
    const opened = this.#opened.get(partition)!;
    opened.sequence++;
    const stamp = { epoch: opened.epoch, writer: this.#writer, sequence: opened.sequence };
    const { seal } = opened;
    const records = changes.map(({ store, key, value, position }) => {
      const bytes = value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return seal.record(Buffer.from(stateKey(store, key)), bytes, stamp, position);
    });
    records.push(positionRecord(seal, stamp, positions));
    const at = { topic: this.topic, partition };
    opened.pendingWrites++;
    const base = await this.#producer.send(at, records).finally(() => opened.pendingWrites--);
    const expected = opened.next;
    opened.next = base + records.length;
    return base === expected ? 'clean' : this.#inspect(partition, expected, base, opened);
  }

  /** Finds out who wrote the records between the expected and the actual offset of a write. */
  async #inspect(partition: number, from: number, to: number, { seal, epoch }: OpenPartition): Promise<WriteOutcome> {
    let outcome: WriteOutcome = 'clean';
    const range = { topic: this.topic, partition, from, to };
    await this.#cluster.retry('reading the changelog', this.#cluster.options.produceDeadlineMs, () =>
      scan(this.#cluster, this.#wire, range, (record) => {
        const stamp = seal.stampOf(record);
        // A retry of this member's own write, whose first attempt had arrived after all.
        if (stamp?.epoch === epoch && stamp.writer === this.#writer) return;
        if (stamp !== null && stamp.epoch >= epoch) outcome = 'overtaken';
        else if (outcome === 'clean') outcome = 'foreign';
      }),
    );
    return outcome;
  }

  /**
   * Returns the open partitions to which another member has written since the last write here. Rejects with WireError.
   */
  async partitionsWithForeignWrites(): Promise<number[]> {
    const idle = [...this.#opened].filter(([, { pendingWrites }]) => pendingWrites === 0);
    if (idle.length === 0) return [];
    const before = new Map(idle.map(([partition, { next }]) => [partition, next]));
    const partitions = idle.map(([partition]) => ({ topic: this.topic, partition }));
    const ends = await endsOf(this.#cluster, this.#wire, partitions);
    return partitions
      .filter((at) => {
        const opened = this.#opened.get(at.partition);
        const isUnchanged = opened?.pendingWrites === 0 && opened.next === before.get(at.partition);
        return isUnchanged && ends.get(partitionName(at))!.next > opened.next;
      })
      .map(({ partition }) => partition);
  }

  forget(partition: number): void {
    this.#opened.delete(partition);
  }
}

/** Writes each shadowed key again, as its value or a tombstone, before compaction removes the last valid record. */
function repairs(seal: Seal, state: RestoredState, stamp: Stamp): WireRecord[] {
  return [...state.shadowed].flatMap((key) => {
    if (key === POSITION_KEY) return [];
    const entry = state.entries.get(key);
    return [seal.record(Buffer.from(key), entry?.value ?? null, stamp, entry?.position ?? { offset: 0, index: 0 })];
  });
}
