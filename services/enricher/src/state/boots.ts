import type { CompiledEnricherOptions } from '../config.ts';
import { Boot } from './boot.ts';

/** The boots of all hosts of the partitions this service owns. */
export class Boots {
  readonly #boots = new Map<string, Boot>();
  readonly #options: CompiledEnricherOptions;
  /** batches taken: orders the boots by when they were heard */
  #clock = 0;
  readonly #gone: Boot[] = [];

  constructor(options: CompiledEnricherOptions) {
    this.#options = options;
  }

  get options(): CompiledEnricherOptions {
    return this.#options;
  }

  [Symbol.iterator](): Iterator<Boot> {
    return this.#boots.values();
  }

  /** The boot, heard just now. */
  hear(hostId: string, bootId: string, partition: number): Boot {
    const boot = this.at(hostId, bootId);
    boot.partition = partition;
    boot.heard = ++this.#clock;
    if (this.#boots.size > this.#options.maxBoots) this.#forgetOldest();
    return boot;
  }

  at(hostId: string, bootId: string): Boot {
    const key = `${hostId}/${bootId}`;
    let boot = this.#boots.get(key);
    if (boot === undefined) {
      boot = new Boot(hostId, bootId, this.#options);
      this.#boots.set(key, boot);
    }
    return boot;
  }

  /** After restoring. */
  resume(): void {
    for (const { heard } of this.#boots.values()) this.#clock = Math.max(this.#clock, heard);
  }

  /** Boots forgotten since the last call. */
  drainGone(): Boot[] {
    return this.#gone.splice(0);
  }

  /** An earlier boot of the same host is dead, but its spool may still come: only lack of room ends it. */
  #forgetOldest(): void {
    let oldest: Boot | undefined;
    for (const boot of this.#boots.values()) if (oldest === undefined || boot.heard < oldest.heard) oldest = boot;
    if (oldest === undefined) return;
    this.#boots.delete(`${oldest.hostId}/${oldest.bootId}`);
    this.#gone.push(oldest);
  }
}
