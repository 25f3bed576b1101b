import type { Incident, RuleCount } from '@ringfence/wire';
import type { Host } from './host.ts';
import { Tally } from './tally.ts';

const MAX_RULES = 4096;
/** The share of a rule's weight that stays, however many false positives it had */
const LEAST_TRUST = 0.25;
/** True positives that each rule starts with: one false positive does not make a bad rule. */
const GOOD_FAITH = 2;

/**
 * Counts of each rule over the fleet: in how many chains it had a part, and people's verdicts on those. Counts of the
 * partition's hosts are exact, those of other partitions as they were last received.
 */
export class Rarity {
  readonly #local = new Tally();
  #remote = new Tally();
  /** Changes of the partition's counts */
  changes = 0;

  /** Returns the number of chains. */
  of(rule: string): number {
    return this.#local.of(rule).chains + this.#remote.of(rule).chains;
  }

  /** From LEAST_TRUST to 1: lower with each false positive. */
  trustIn(rule: string): number {
    const [local, remote] = [this.#local.of(rule), this.#remote.of(rule)];
    const good = GOOD_FAITH + local.truePositives + remote.truePositives;
    return Math.max(LEAST_TRUST, good / (good + local.falsePositives + remote.falsePositives));
  }

  /** Counts a chain of the host that has the rule. */
  note(host: Host, rule: string): void {
    if (!host.rarity.has(rule) && host.rarity.size >= MAX_RULES) return;
    host.rarity.set(rule, (host.rarity.get(rule) ?? 0) + 1);
    this.#count({ rule, chains: 1, truePositives: 0, falsePositives: 0 });
  }

  /** Counts a verdict on an incident with these rules, in place of an earlier one. */
  judge(host: Host, rules: Iterable<string>, before: Incident['verdict'], now: Incident['verdict']): void {
    const of = (verdict: Incident['verdict'], wanted: Incident['verdict']): number => (verdict === wanted ? 1 : 0);
    for (const rule of new Set(rules)) {
      if (!host.verdicts.has(rule) && host.verdicts.size >= MAX_RULES) continue;
      const [good, bad] = host.verdicts.get(rule) ?? [0, 0];
      // Rules that the incident got after the first verdict have nothing to take back.
      const truePositives = Math.max(-good, of(now, 'true_positive') - of(before, 'true_positive'));
      const falsePositives = Math.max(-bad, of(now, 'false_positive') - of(before, 'false_positive'));
      host.verdicts.set(rule, [good + truePositives, bad + falsePositives]);
      this.#count({ rule, chains: 0, truePositives, falsePositives });
    }
  }

  /** Returns the partition's counts, of at most `max` rules. */
  localCounts(max: number): RuleCount[] {
    return this.#local.most(max);
  }

  /** Sets the counts of all other partitions. */
  learn(counts: readonly RuleCount[]): void {
    this.#remote = new Tally(counts);
  }

  /** Adds the counts of a host that was restored. */
  add({ rarity, verdicts }: Host): void {
    for (const [rule, chains] of rarity) this.#count({ rule, chains, truePositives: 0, falsePositives: 0 });
    for (const [rule, [truePositives, falsePositives]] of verdicts)
      this.#count({ rule, chains: 0, truePositives, falsePositives });
  }

  #count(count: RuleCount): void {
    this.#local.add([count]);
    this.changes++;
  }
}
