import type { OutRecord } from '@ringfence/bus';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import type { TrailHeads } from './sink.ts';

export interface HeadKeeperOptions {
  /** null: heads go unsigned, as in one process */
  readonly key: SigningKey | null;
  /** after so many records */
  readonly everyRecords: number;
  /** or so long, whichever comes first, ms */
  readonly everyMs: number;
  readonly heads: () => Promise<TrailHeads>;
}

/** Notes on the bus, signed, how far the chains reach: whoever can write the store can't write these. */
export class HeadKeeper {
  readonly #options: HeadKeeperOptions;
  #records = 0;
  #last = performance.now();

  constructor(options: HeadKeeperOptions) {
    this.#options = options;
  }

  /** What is to be written with a batch of so many records. */
  async due(records: number): Promise<OutRecord[]> {
    const { everyRecords, everyMs } = this.#options;
    this.#records += records;
    const isDue = this.#records >= everyRecords || performance.now() - this.#last >= everyMs;
    return isDue ? this.now() : [];
  }

  /** The heads of all chains that have grown since they were last noted. */
  async now(): Promise<OutRecord[]> {
    this.#records = 0;
    this.#last = performance.now();
    const { trail, heads } = await this.#options.heads();
    const at = Date.now() * 1000;
    return heads.map(({ topic, partition, kind, seq, hash, offset }) => {
      const head = { topic, partition, offset, count: seq, hash: Buffer.from(hash, 'hex'), at, kind, trail };
      const value = encodeSigned('AuditHead', head, this.#options.key);
      return { topic: TOPIC.auditHeads, key: `${topic}/${partition}/${kind}`, value };
    });
  }
}
