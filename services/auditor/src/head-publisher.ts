import type { OutRecord } from '@ringfence/bus';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import type { TrailHeads } from './sink.ts';

export interface HeadPublisherOptions {
  /** null leaves heads unsigned, as in a single process */
  readonly key: SigningKey | null;
  /** Number of records between publications */
  readonly everyRecords: number;
  /** Maximum time between publications, ms */
  readonly everyMs: number;
  readonly heads: () => Promise<TrailHeads>;
  /** Called with each head that is about to be published, as it is on the bus. @default none */
  readonly onHead?: (value: Uint8Array) => void;
}

/**
 * Creates signed records of the chains' heads for the bus: write access to the store does not suffice to forge them.
 */
export class HeadPublisher {
  readonly #options: HeadPublisherOptions;
  #records = 0;
  #lastMs = performance.now();

  constructor(options: HeadPublisherOptions) {
    this.#options = options;
  }

  /** Returns the heads to publish with a batch of `records` records: none until they are due. */
  async recordsIfDue(records: number): Promise<OutRecord[]> {
    const { everyRecords, everyMs } = this.#options;
    this.#records += records;
    const isDue = this.#records >= everyRecords || performance.now() - this.#lastMs >= everyMs;
    return isDue ? this.records() : [];
  }

  /** Returns the heads of all chains that have grown since the last call. */
  async records(): Promise<OutRecord[]> {
    this.#records = 0;
    this.#lastMs = performance.now();
    const { trail, heads } = await this.#options.heads();
    const at = Date.now() * 1000;
    return heads.map(({ topic, partition, kind, seq, hash, offset }) => {
      const head = { topic, partition, offset, count: seq, hash: Buffer.from(hash, 'hex'), at, kind, trail };
      const value = encodeSigned('AuditHead', head, this.#options.key);
      this.#options.onHead?.(value);
      return { topic: TOPIC.auditHeads, key: `${topic}/${partition}/${kind}`, value };
    });
  }
}
