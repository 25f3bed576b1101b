/**
 * The messages that members of a group exchange through the broker: subscriptions, and the assignment that the leader
 * computes. They have the layout of Kafka's own consumers (ConsumerProtocol v0), so that Kafka's tools can show the
 * assignment. `userData` holds the fields of this program, as JSON.
 */

export interface Subscription {
  readonly topics: readonly string[];
  /** Partition numbers that the member owned in `generation`. The assignor keeps them in place if it can. */
  readonly owned: readonly number[];
  readonly generation: number;
}

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

const VERSION = 0;
const MAX_ITEMS = 100_000;

export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  const userData = Buffer.from(JSON.stringify({ owned, generation }));
  return Buffer.concat([int16(VERSION), int32(topics.length), ...topics.map(text), int32(userData.length), userData]);
}

/** Decodes the subscription of a member. Throws when it is malformed. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new Reader(bytes);
  reader.int16();
  const topics = reader.array(() => reader.text());
  const userData: unknown = JSON.parse(reader.bytes().toString() || '{}');
  const { owned, generation } = userData as Partial<Subscription>;
  return {
    topics,
    owned: Array.isArray(owned) ? owned.filter((number) => Number.isSafeInteger(number) && number >= 0) : [],
    generation: Number.isSafeInteger(generation) ? (generation as number) : -1,
  };
}

export function encodeAssignment(assigned: readonly TopicPartitions[]): Buffer {
  const topics = assigned.map(({ topic, partitions }) =>
    Buffer.concat([text(topic), int32(partitions.length), ...partitions.map(int32)]),
  );
  return Buffer.concat([int16(VERSION), int32(topics.length), ...topics, int32(-1)]);
}

/** Returns an empty list for empty bytes: the leader assigned nothing. Throws RangeError. */
export function decodeAssignment(bytes: Buffer): TopicPartitions[] {
  if (bytes.length === 0) return [];
  const reader = new Reader(bytes);
  reader.int16();
  return reader.array(() => ({ topic: reader.text(), partitions: reader.array(() => reader.int32()) }));
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

/** Throws RangeError at a read past the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  text(): string {
    return this.#take(this.int16()).toString();
  }

  bytes(): Buffer {
    return this.#at >= this.#bytes.length ? Buffer.alloc(0) : this.#take(Math.max(0, this.int32()));
  }

  array<T>(read: () => T): T[] {
    const length = this.int32();
    if (length < 0 || length > MAX_ITEMS) throw new RangeError(`an array of ${length} items`);
    return Array.from({ length }, read);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new RangeError(`${length} bytes at ${this.#at}, past the end`);
    this.#at = end;
    return this.#bytes.subarray(end - length, end);
  }
}
