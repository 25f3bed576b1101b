import type { RuleCount, RuleCounts } from '@ringfence/wire';
import { Tally } from './tally.ts';

/** The counts of rules that the detectors of all partitions published: the newest of each. */
export class FleetRarity {
  readonly #counts = new Map<number, RuleCounts>();
  readonly #sum = new Tally();
  /** Grows with each new record */
  changes = 0;

  update(counts: RuleCounts): void {
    const { partition, at, rules } = counts;
    const known = this.#counts.get(partition);
    // The topic may be read again, or a member may notice late that its partition was reassigned.
    if (known !== undefined && known.at >= at) return;
    this.#sum.add(known?.rules ?? [], -1);
    this.#sum.add(rules);
    this.#counts.set(partition, counts);
    this.changes++;
  }

  /** Returns the sums over all other partitions, for at most `max` rules. */
  othersThan(partition: number, max: number): RuleCount[] {
    const sums = new Tally(this.#sum.most(Number.POSITIVE_INFINITY));
    sums.add(this.#counts.get(partition)?.rules ?? [], -1);
    return sums.most(max);
  }
}
