import type { RuleCount } from '@ringfence/wire';

const zeroOf = (rule: string): RuleCount => ({ rule, chains: 0, truePositives: 0, falsePositives: 0 });

/** Sums of counts of rules. */
export class Tally {
  readonly #counts = new Map<string, RuleCount>();

  constructor(counts: Iterable<RuleCount> = []) {
    this.add(counts);
  }

  of(rule: string): RuleCount {
    return this.#counts.get(rule) ?? zeroOf(rule);
  }

  /** `times`: -1 subtracts counts that were added before. */
  add(counts: Iterable<RuleCount>, times: 1 | -1 = 1): void {
    for (const { rule, ...more } of counts) {
      const known = this.of(rule);
      const sum = {
        rule,
        chains: known.chains + times * more.chains,
        truePositives: known.truePositives + times * more.truePositives,
        falsePositives: known.falsePositives + times * more.falsePositives,
      };
      if (sum.chains === 0 && sum.truePositives === 0 && sum.falsePositives === 0) this.#counts.delete(rule);
      else this.#counts.set(rule, sum);
    }
  }

  /** Returns the counts of the rules in the most chains, in a stable order. */
  most(max: number): RuleCount[] {
    const all = [...this.#counts.values()];
    return all.sort((a, b) => b.chains - a.chains || (a.rule < b.rule ? -1 : 1)).slice(0, max);
  }
}
