import type { Incident, RuleCount } from '@ringfence/wire';
import type { Host } from './host.ts';
import { Tally } from './tally.ts';

const MAX_RULES = 4096;
/** Of what a rule adds to a score this much stays, however often it was wrong. */
const LEAST_TRUST = 0.25;
/** As if so many verdicts had been good: one that was wrong once is not yet a bad rule. */
const GOOD_FAITH = 2;

/**
 * What is known of each rule over the hosts of the fleet: in how many chains it has had a part, and what people have said of those. Of the partition's own
 * hosts that is as of now, of the others as the partition was last told.
 */
export class Rarity {
  readonly #own = new Tally();
  #others = new Tally();
  /** of the partition's own counts */
  changes = 0;

  /** chains */
  of(rule: string): number {
    return this.#own.of(rule).chains + this.#others.of(rule).chains;
  }

  /** From LEAST_TRUST to 1: less with each incident that was none. */
  trustIn(rule: string): number {
    const [own, others] = [this.#own.of(rule), this.#others.of(rule)];
    const good = GOOD_FAITH + own.truePositives + others.truePositives;
    return Math.max(LEAST_TRUST, good / (good + own.falsePositives + others.falsePositives));
  }

  /** A chain of the host has the rule now. */
  note(host: Host, rule: string): void {
    if (!host.rarity.has(rule) && host.rarity.size >= MAX_RULES) return;
    host.rarity.set(rule, (host.rarity.get(rule) ?? 0) + 1);
    this.#count({ rule, chains: 1, truePositives: 0, falsePositives: 0 });
  }

  /** An incident with these rules was judged, after it had been judged otherwise or not at all. */
  judge(host: Host, rules: Iterable<string>, before: Incident['verdict'], now: Incident['verdict']): void {
    const of = (verdict: Incident['verdict'], wanted: Incident['verdict']): number => (verdict === wanted ? 1 : 0);
    for (const rule of new Set(rules)) {
      if (!host.verdicts.has(rule) && host.verdicts.size >= MAX_RULES) continue;
      const [good, bad] = host.verdicts.get(rule) ?? [0, 0];
      // A verdict is taken back of all rules that the incident has by now: not of those that it had not when it was given.
      const truePositives = Math.max(-good, of(now, 'true_positive') - of(before, 'true_positive'));
      const falsePositives = Math.max(-bad, of(now, 'false_positive') - of(before, 'false_positive'));
      host.verdicts.set(rule, [good + truePositives, bad + falsePositives]);
      this.#count({ rule, chains: 0, truePositives, falsePositives });
    }
  }

  /** What the partition has to tell: no more than `max` rules. */
  own(max: number): RuleCount[] {
    return this.#own.most(max);
  }

  /** What all other partitions have told. */
  learn(others: readonly RuleCount[]): void {
    this.#others = new Tally(others);
  }

  /** After a host was restored. */
  add({ rarity, verdicts }: Host): void {
    for (const [rule, chains] of rarity) this.#count({ rule, chains, truePositives: 0, falsePositives: 0 });
    for (const [rule, [truePositives, falsePositives]] of verdicts)
      this.#count({ rule, chains: 0, truePositives, falsePositives });
  }

  #count(count: RuleCount): void {
    this.#own.add([count]);
    this.changes++;
  }
}
