import { type KeyObject, randomBytes } from 'node:crypto';
import type { StateChange } from '@ringfence/bus';
import { Fold, POSITION_KEY, positionRecord, type Stamp, stateKey } from './changelog-record.ts';
import { Seal } from './changelog-seal.ts';
import type { Cluster } from './cluster.ts';
import { endsOf, nameOf, scan } from './partition-scan.ts';
import type { Producer } from './producer.ts';
import type { Stats } from './stats.ts';
import type { Wire, WireRecord } from './wire.ts';

/** What we know of a changelog partition that we have opened. */
interface Opened {
  readonly seal: Seal;
  readonly epoch: number;
  sequence: number;
  /** offset that our next write must get, if nobody else writes */
  next: number;
  /** writes that are on their way */
  writing: number;
}

/**
 * What a write found: `clean`, nobody else has written; `foreign`, a member that had lost the partition has, and its records must be undone;
 * `overtaken`, somebody has opened the partition after us.
 */
export type Written = 'clean' | 'foreign' | 'overtaken';

/** The state of one group: a compacted topic with as many partitions as its input. State and position are one batch, so one of them is never without the other. */
export class Changelog {
  readonly topic: string;
  readonly #key: KeyObject | null;
  readonly #cluster: Cluster;
  readonly #wire: Wire;
  readonly #producer: Producer;
  readonly #stats: Stats;
  readonly #writer: string = randomBytes(8).toString('hex');
  readonly #opened: Map<number, Opened> = new Map();

  /** `topic` as the brokers name it; `key` seals what it holds. */
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

  /** Reads it to its end and makes it ours: from now on what a former owner writes doesn't count. Rejects with WireError and Bus… errors. */
  async open(partition: number): Promise<Fold> {
    const at = { topic: this.topic, partition };
    const ends = await endsOf(this.#cluster, this.#wire, [at]);
    let { first: from, next: to } = ends.get(nameOf(at))!;
    const seal = new Seal(this.#key, at);
    const fold = new Fold(seal);
    for (;;) {
      await scan(this.#cluster, this.#wire, { ...at, from, to }, (record) => fold.add(record));
      const stamp = { epoch: fold.epoch + 1, writer: this.#writer, sequence: 1 };
      const fence = [...repairs(seal, fold, stamp), positionRecord(seal, stamp, fold.positions)];
      this.#stats.add('foreignStateWrites', fold.foreign);
      if (fold.unsealed > 0) {
        const found = { topic: this.topic, partition, records: fold.unsealed };
        this.#cluster.options.log?.warn(
          found,
          'records that nobody with the key of this group wrote: they do not count',
        );
      }
      [fold.foreign, fold.unsealed] = [0, 0];
      const base = await this.#producer.send(at, fence);
      if (base === to) {
        this.#opened.set(partition, { ...stamp, seal, next: base + fence.length, writing: 0 });
        return fold;
      }
      // Somebody wrote in between: what counts of it is read, and the next try is above it.
      [from, to] = [to, (await endsOf(this.#cluster, this.#wire, [at])).get(nameOf(at))!.next];
    }
  }

  /** Writes state and position as one. Rejects with BusUnavailableError: then it is there or not, and writing it again is fine. */
  async write(
    partition: number,
    changes: readonly StateChange[],
    positions: ReadonlyMap<string, number>,
  ): Promise<Written> {
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
    opened.writing++;
    const base = await this.#producer.send(at, records).finally(() => opened.writing--);
    const expected = opened.next;
    opened.next = base + records.length;
    return base === expected ? 'clean' : this.#lookBetween(partition, expected, base, opened);
  }

  async #lookBetween(partition: number, from: number, to: number, { seal, epoch }: Opened): Promise<Written> {
    let found: Written = 'clean';
    const at = { topic: this.topic, partition, from, to };
    await this.#cluster.insist('reading the changelog', this.#cluster.options.produceDeadlineMs, () =>
      scan(this.#cluster, this.#wire, at, (record) => {
        const stamp = seal.stampOf(record);
        // Our own: a write that was tried again though the first one had arrived.
        if (stamp?.epoch === epoch && stamp.writer === this.#writer) return;
        if (stamp !== null && stamp.epoch >= epoch) found = 'overtaken';
        else if (found === 'clean') found = 'foreign';
      }),
    );
    return found;
  }

  /** Partitions of ours to which somebody else has written while we did not. Rejects with WireError. */
  async disturbed(): Promise<number[]> {
    const quiet = [...this.#opened].filter(([, { writing }]) => writing === 0);
    if (quiet.length === 0) return [];
    const before = new Map(quiet.map(([partition, { next }]) => [partition, next]));
    const partitions = quiet.map(([partition]) => ({ topic: this.topic, partition }));
    const ends = await endsOf(this.#cluster, this.#wire, partitions);
    return partitions
      .filter((at) => {
        const opened = this.#opened.get(at.partition);
        const stayed = opened?.writing === 0 && opened.next === before.get(at.partition);
        return stayed && ends.get(nameOf(at))!.next > opened.next;
      })
      .map(({ partition }) => partition);
  }

  forget(partition: number): void {
    this.#opened.delete(partition);
  }
}

/** Keys whose last record doesn't count get one that does, or a tombstone, before compaction forgets what counted. */
function repairs(seal: Seal, fold: Fold, stamp: Stamp): WireRecord[] {
  return [...fold.shadowed].flatMap((key) => {
    if (key === POSITION_KEY) return [];
    const entry = fold.entries.get(key);
    return [seal.record(Buffer.from(key), entry?.value ?? null, stamp, entry?.position ?? { offset: 0, index: 0 })];
  });
}
