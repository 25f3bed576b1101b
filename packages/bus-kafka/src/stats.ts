/** Counters of a Kafka bus since it was opened. */
export interface KafkaBusStats {
  readonly producedRecords: number;
  /** Keys and values, uncompressed. */
  readonly producedBytes: number;
  /** Retried batches, by Kafka's name of the error. */
  readonly retries: Readonly<Record<string, number>>;
  readonly fetchedRecords: number;
  /** Values, uncompressed. */
  readonly fetchedBytes: number;
  /** Record batches, as sent by the brokers. */
  readonly fetchedPackedBytes: number;
  /** Group generations that the consumers of this process have joined. */
  readonly rebalances: number;
  /** Partitions that were revoked while a batch of them was in hand. */
  readonly assignmentsLost: number;
  /** Records that retention removed before they were read. */
  readonly expiredRecords: number;
  /** Record batches that could not be unpacked, and were skipped. */
  readonly unreadableBatches: number;
  /** Invalid records in changelogs: of former owners, or not sealed. They are ignored and replaced. */
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
