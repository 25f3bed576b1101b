import type { InRecord } from '@ringfence/bus';
import { sizeOf } from './record-sets.ts';
import type { FetchedRecord, TopicPartition } from './wire.ts';

/** One partition that is read: what has been fetched of it and waits to be taken. */
export class Feed implements TopicPartition {
  /** as the brokers name it */
  readonly topic: string;
  /** as the services name it */
  readonly name: string;
  readonly partition: number;
  /** what lay there at the start needn't wait for company */
  readonly startEnd: number;
  /** next to be fetched */
  fetchFrom: number;
  /** next to be taken */
  position: number;
  /** next of what is done */
  committed: number;
  /** end of the partition as last heard */
  end: number;
  /** what they take in memory, about */
  bytes = 0;
  #queue: InRecord[] = [];
  #head = 0;

  constructor(at: TopicPartition, name: string, start: number, end: number) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.name = name;
    this.startEnd = end;
    this.end = end;
    this.fetchFrom = start;
    this.position = start;
    this.committed = start;
  }

  get length(): number {
    return this.#queue.length - this.#head;
  }

  push(records: readonly FetchedRecord[], next: number): void {
    const { name: topic, partition } = this;
    for (const { offset, key, value, timestampMs } of records) {
      const record = { topic, partition, offset, key: key.toString(), value, timestamp: timestampMs * 1000 };
      this.#queue.push(record);
      this.bytes += sizeOf(record);
    }
    this.fetchFrom = next;
    if (this.length === 0) this.position = next;
  }

  peek(): InRecord | undefined {
    return this.#queue[this.#head];
  }

  shift(): InRecord {
    const record = this.#queue[this.#head++]!;
    this.bytes -= sizeOf(record);
    this.position = record.offset + 1;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.position = this.fetchFrom;
    }
    return record;
  }
}
