import type { Effect, OutRecord, Position, StateChange } from '@ringfence/bus';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import { fleetCountsChange } from '../state/changelog.ts';
import type { FleetRarity } from '../state/fleet-rarity.ts';
import type { Rarity } from '../state/rarity.ts';
import { MAX_COUNTED_RULES } from '../steps/check.ts';

/** µs of the bus's clock */
const INTERVAL_US = 10_000_000;

const NOTHING: Effect = { outputs: [], state: [] };

export interface ExchangeDeps {
  readonly rarity: Rarity;
  /** undefined: there are no other partitions */
  readonly fleet: FleetRarity | undefined;
  readonly partition: number;
  readonly key: SigningKey | null;
}

/**
 * Publishes how common the partition's rules are, and takes over the counts of the other partitions. Only between two
 * batches and as a part of the state: a batch that is redelivered after a crash gets the same scores.
 */
export class ExchangeCounts {
  readonly #deps: ExchangeDeps;
  #at = Number.NEGATIVE_INFINITY;
  #published = 0;
  #received = 0;

  constructor(deps: ExchangeDeps) {
    this.#deps = deps;
  }

  /**
   * Called at the end of a batch that the bus took at `now`. Exchanges what is new, at most once in ten seconds; after
   * a restart it exchanges everything.
   */
  exchange(now: number, position: Position): Effect {
    const { rarity, fleet } = this.#deps;
    const isPublished = rarity.changes === this.#published;
    const isReceived = fleet?.changes === this.#received;
    if (fleet === undefined || (isPublished && isReceived) || now - this.#at < INTERVAL_US) return NOTHING;
    this.#at = now;
    this.#published = rarity.changes;
    this.#received = fleet.changes;
    return {
      outputs: isPublished ? [] : [this.#publish(now)],
      state: isReceived ? [] : [this.#learn(fleet, position)],
    };
  }

  #publish(at: number): OutRecord {
    const { rarity, partition, key } = this.#deps;
    const value = encodeSigned('RuleCounts', { partition, at, rules: rarity.localCounts(MAX_COUNTED_RULES) }, key);
    return { topic: TOPIC.rarity, key: String(partition), value };
  }

  #learn(fleet: FleetRarity, position: Position): StateChange {
    const { rarity, partition } = this.#deps;
    const counts = fleet.othersThan(partition, MAX_COUNTED_RULES);
    rarity.learn(counts);
    return fleetCountsChange(counts, partition, position);
  }
}
