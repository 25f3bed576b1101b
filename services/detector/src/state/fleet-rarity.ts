import type { RuleCount, RuleCounts } from '@ringfence/wire';
import { Tally } from './tally.ts';

/** What the detectors of all partitions have said of their rules: one record of each. */
export class FleetRarity {
  readonly #said = new Map<number, RuleCounts>();
  readonly #sum = new Tally();
  /** grows with everything that is new */
  changes = 0;

  hear(counts: RuleCounts): void {
    const { partition, at, rules } = counts;
    const known = this.#said.get(partition);
    // The topic is read once more, or a member was late to notice that the partition is another's.
    if (known !== undefined && known.at >= at) return;
    this.#sum.add(known?.rules ?? [], -1);
    this.#sum.add(rules);
    this.#said.set(partition, counts);
    this.changes++;
  }

  /** No more than `max` rules. */
  othersThan(partition: number, max: number): RuleCount[] {
    const others = new Tally(this.#sum.most(Number.POSITIVE_INFINITY));
    others.add(this.#said.get(partition)?.rules ?? [], -1);
    return others.most(max);
  }
}
