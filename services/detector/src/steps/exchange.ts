import type { Effect, OutRecord, Position, StateChange } from '@ringfence/bus';
import { encodeSigned, type SigningKey, TOPIC } from '@ringfence/wire';
import { othersChange } from '../state/changelog.ts';
import type { FleetRarity } from '../state/fleet-rarity.ts';
import type { Rarity } from '../state/rarity.ts';
import { MAX_RULES_SAID } from './check.ts';

/** µs of the bus's clock */
const EVERY_US = 10_000_000;

const NOTHING: Effect = { outputs: [], state: [] };

export interface ExchangeDeps {
  readonly rarity: Rarity;
  /** undefined: the partition's hosts are all there are */
  readonly fleet: FleetRarity | undefined;
  readonly partition: number;
  readonly key: SigningKey | null;
}

/**
 * The partition tells the fleet how common its rules are, and takes over what the others have told. Only between two batches, and as a part of its state:
 * a batch that comes again after a crash is scored by what was known the first time.
 */
export class ExchangeStep {
  readonly #deps: ExchangeDeps;
  #at = Number.NEGATIVE_INFINITY;
  #said = 0;
  #heard = 0;

  constructor(deps: ExchangeDeps) {
    this.#deps = deps;
  }

  /** At the end of a batch that the bus took at `now`, every few seconds, when there is something new; all anew after a restart. */
  turn(now: number, position: Position): Effect {
    const { rarity, fleet } = this.#deps;
    const [isSaid, isHeard] = [rarity.changes === this.#said, fleet?.changes === this.#heard];
    if (fleet === undefined || (isSaid && isHeard) || now - this.#at < EVERY_US) return NOTHING;
    this.#at = now;
    this.#said = rarity.changes;
    this.#heard = fleet.changes;
    return {
      outputs: isSaid ? [] : [this.#say(now)],
      state: isHeard ? [] : [this.#learn(fleet, position)],
    };
  }

  #say(at: number): OutRecord {
    const { rarity, partition, key } = this.#deps;
    const value = encodeSigned('RuleCounts', { partition, at, rules: rarity.own(MAX_RULES_SAID) }, key);
    return { topic: TOPIC.rarity, key: String(partition), value };
  }

  #learn(fleet: FleetRarity, position: Position): StateChange {
    const { rarity, partition } = this.#deps;
    const others = fleet.othersThan(partition, MAX_RULES_SAID);
    rarity.learn(others);
    return othersChange(others, partition, position);
  }
}
