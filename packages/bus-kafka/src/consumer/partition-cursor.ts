import type { InRecord } from '@ringfence/bus';
import { type FetchedRecord, memoryBytes, type TopicPartition } from '../client/records.ts';

/** The read position in one partition, with the records that are fetched and not yet taken. */
export class PartitionCursor implements TopicPartition {
  /** Physical name. */
  readonly topic: string;
  /** Logical name. */
  readonly name: string;
  readonly partition: number;
  /** End of the partition when reading began. Records before it need not linger. */
  readonly startEnd: number;
  /** Offset to fetch next. */
  fetchFrom: number;
  /** Offset after the last committed record. */
  committed: number;
  /** End of the partition, from the latest fetch. */
  end: number;
  /** Memory of the fetched records, bytes, approximately. */
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
    this.committed = start;
  }

  get length(): number {
    return this.#queue.length - this.#head;
  }

  /** Adds fetched records. `next`: the offset to fetch next, which may lie behind the last record. */
  push(records: readonly FetchedRecord[], next: number): void {
    const { name: topic, partition } = this;
    for (const { offset, key, value, timestampMs } of records) {
      const record = { topic, partition, offset, key: key.toString(), value, timestamp: timestampMs * 1000 };
      this.#queue.push(record);
      this.bytes += memoryBytes(record);
    }
    this.fetchFrom = next;
  }

  peek(): InRecord | undefined {
    return this.#queue[this.#head];
  }

  shift(): InRecord {
    const record = this.#queue[this.#head++]!;
    this.bytes -= memoryBytes(record);
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    return record;
  }
}
