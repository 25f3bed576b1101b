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
    const known = this.#boots.has(keyOf(hostId, bootId));
    const boot = this.at(hostId, bootId);
    boot.partition = partition;
    boot.heard = ++this.#clock;
    if (!known) this.#makeRoom(hostId);
    return boot;
  }

  at(hostId: string, bootId: string): Boot {
    const key = keyOf(hostId, bootId);
    let boot = this.#boots.get(key);
    if (boot === undefined) {
      boot = new Boot(hostId, bootId, this.#options);
      this.#boots.set(key, boot);
    }
    return boot;
  }

  /** The boot of a host that was heard last. */
  latest(hostId: string): Boot | undefined {
    let latest: Boot | undefined;
    for (const boot of this.#boots.values())
      if (boot.hostId === hostId && (latest === undefined || boot.heard > latest.heard)) latest = boot;
    return latest;
  }

  /** Of each host, the boot that was heard last. */
  latestOfEach(): Boot[] {
    const latest = new Map<string, Boot>();
    for (const boot of this.#boots.values())
      if (boot.heard >= (latest.get(boot.hostId)?.heard ?? 0)) latest.set(boot.hostId, boot);
    return [...latest.values()];
  }

  /** After restoring. */
  resume(): void {
    for (const { heard } of this.#boots.values()) this.#clock = Math.max(this.#clock, heard);
  }

  /** Boots forgotten since the last call. */
  drainGone(): Boot[] {
    return this.#gone.splice(0);
  }

  /** The boot before may still come from the host's spool; those before it are history. */
  #makeRoom(hostId: string): void {
    const byAge = [...this.#boots.values()].sort((a, b) => a.heard - b.heard);
    const ofHost = byAge.filter((boot) => boot.hostId === hostId);
    for (const boot of ofHost.slice(0, Math.max(0, ofHost.length - BOOTS_PER_HOST))) this.#forget(boot);
    const [oldest] = byAge;
    if (this.#boots.size > this.#options.maxBoots && oldest !== undefined) this.#forget(oldest);
  }

  #forget(boot: Boot): void {
    this.#boots.delete(keyOf(boot.hostId, boot.bootId));
    this.#gone.push(boot);
  }
}

const BOOTS_PER_HOST = 2;
const keyOf = (hostId: string, bootId: string): string => `${hostId}/${bootId}`;
