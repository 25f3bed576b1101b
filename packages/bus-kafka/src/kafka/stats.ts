/** What a Kafka bus has done since it was opened; counters only go up. */
export interface KafkaBusStats {
  readonly producedRecords: number;
  /** keys and values, before they are packed */
  readonly producedBytes: number;
  /** batches that had to be sent again, by Kafka's name of the reason */
  readonly retries: Readonly<Record<string, number>>;
  readonly fetchedRecords: number;
  /** values, unpacked */
  readonly fetchedBytes: number;
  /** as they came over the wire */
  readonly fetchedPackedBytes: number;
  /** generations of groups that consumers here have joined */
  readonly rebalances: number;
  /** partitions that went while a batch of them was in hand */
  readonly assignmentsLost: number;
  /** records that the brokers removed before they were read */
  readonly expiredRecords: number;
  /** record batches that nothing here can unpack; their records were passed over */
  readonly unreadableBatches: number;
  /** writes of a member that had lost its partition, found in a changelog and undone */
  readonly foreignStateWrites: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Stats {
  readonly #counts: Mutable<Omit<KafkaBusStats, 'retries'>> = {
    producedRecords: 0,
    producedBytes: 0,
    fetchedRecords: 0,
    fetchedBytes: 0,
    fetchedPackedBytes: 0,
    rebalances: 0,
    assignmentsLost: 0,
    expiredRecords: 0,
    unreadableBatches: 0,
    foreignStateWrites: 0,
  };
  readonly #retries: Map<string, number> = new Map();

  snapshot(): KafkaBusStats {
    return { ...this.#counts, retries: Object.fromEntries(this.#retries) };
  }

  produced(records: number, bytes: number): void {
    this.#counts.producedRecords += records;
    this.#counts.producedBytes += bytes;
  }

  fetched(records: number, bytes: number, packedBytes: number): void {
    this.#counts.fetchedPackedBytes += packedBytes;
    this.#counts.fetchedRecords += records;
    this.#counts.fetchedBytes += bytes;
  }

  retried(reason: string): void {
    this.#retries.set(reason, (this.#retries.get(reason) ?? 0) + 1);
  }

  add(
    counter: 'rebalances' | 'assignmentsLost' | 'expiredRecords' | 'unreadableBatches' | 'foreignStateWrites',
    by = 1,
  ): void {
    this.#counts[counter] += by;
  }
}
