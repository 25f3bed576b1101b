import type { CompiledEnricherOptions } from '../config.ts';
import { Boot } from './boot.ts';

/** Boots of all hosts of one partition. */
export class Boots {
  readonly #boots = new Map<string, Boot>();
  readonly #options: CompiledEnricherOptions;
  /** number of batches: orders the boots by their last activity */
  #clock = 0;
  readonly #evicted: Boot[] = [];

  constructor(options: CompiledEnricherOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Boot> {
    return this.#boots.values();
  }

  /** Returns the boot, which may be new, and marks it as the latest. */
  activate(hostId: string, bootId: string, partition: number): Boot {
    const isKnown = this.#boots.has(keyOf(hostId, bootId));
    const boot = this.at(hostId, bootId);
    boot.partition = partition;
    boot.lastActive = ++this.#clock;
    if (!isKnown) this.#makeRoom(hostId);
    return boot;
  }

  /** Returns the boot, which may be new. */
  at(hostId: string, bootId: string): Boot {
    const key = keyOf(hostId, bootId);
    let boot = this.#boots.get(key);
    if (boot === undefined) {
      boot = new Boot(hostId, bootId, this.#options);
      this.#boots.set(key, boot);
    }
    return boot;
  }

  /** Returns the boot of the host that was active last. */
  latest(hostId: string): Boot | undefined {
    let latest: Boot | undefined;
    for (const boot of this.#boots.values())
      if (boot.hostId === hostId && (latest === undefined || boot.lastActive > latest.lastActive)) latest = boot;
    return latest;
  }

  /** Returns the boot of each host that was active last. */
  latestOfEach(): Boot[] {
    const latest = new Map<string, Boot>();
    for (const boot of this.#boots.values())
      if (boot.lastActive >= (latest.get(boot.hostId)?.lastActive ?? 0)) latest.set(boot.hostId, boot);
    return [...latest.values()];
  }

  /** Continues the numbering of batches after a restore. */
  resume(): void {
    for (const { lastActive } of this.#boots.values()) this.#clock = Math.max(this.#clock, lastActive);
  }

  /** Returns the boots that were evicted since the last call. */
  drainEvicted(): Boot[] {
    return this.#evicted.splice(0);
  }

  /** Keeps the previous boot of a host, because batches of it may still be in the host's spool. */
  #makeRoom(hostId: string): void {
    const byAge = [...this.#boots.values()].sort((a, b) => a.lastActive - b.lastActive);
    const ofHost = byAge.filter((boot) => boot.hostId === hostId);
    for (const boot of ofHost.slice(0, Math.max(0, ofHost.length - BOOTS_PER_HOST))) this.#evict(boot);
    const [oldest] = byAge;
    if (this.#boots.size > this.#options.maxBoots && oldest !== undefined) this.#evict(oldest);
  }

  #evict(boot: Boot): void {
    this.#boots.delete(keyOf(boot.hostId, boot.bootId));
    this.#evicted.push(boot);
  }
}

const BOOTS_PER_HOST = 2;
const keyOf = (hostId: string, bootId: string): string => `${hostId}/${bootId}`;
