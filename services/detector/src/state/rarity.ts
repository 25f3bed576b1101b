import type { Incident } from '@ringfence/schema';
import type { Host } from './host.ts';

const MAX_RULES = 4096;
/** Of what a rule adds to a score this much stays, however often it was wrong. */
const LEAST_TRUST = 0.25;
/** As if so many verdicts had been good: one that was wrong once is not yet a bad rule. */
const GOOD_FAITH = 2;

/**
 * What is known of each rule over the hosts of a partition, a sample of the fleet, and all of it where there is one partition: in how many chains it has had
 * a part, and what people have said of those.
 */
export class Rarity {
  readonly #chains = new Map<string, number>();
  readonly #verdicts = new Map<string, readonly [number, number]>();

  /** chains */
  of(rule: string): number {
    return this.#chains.get(rule) ?? 0;
  }

  /** From LEAST_TRUST to 1: less with each incident that was none. */
  trustIn(rule: string): number {
    const [good, bad] = this.#verdicts.get(rule) ?? [0, 0];
    return Math.max(LEAST_TRUST, (GOOD_FAITH + good) / (GOOD_FAITH + good + bad));
  }

  /** A chain of the host has the rule now. */
  note(host: Host, rule: string): void {
    if (!host.rarity.has(rule) && host.rarity.size >= MAX_RULES) return;
    host.rarity.set(rule, (host.rarity.get(rule) ?? 0) + 1);
    this.#chains.set(rule, this.of(rule) + 1);
  }

  /** An incident with these rules was judged, after it had been judged otherwise or not at all. */
  judge(host: Host, rules: Iterable<string>, before: Incident['verdict'], now: Incident['verdict']): void {
    const of = (verdict: Incident['verdict'], wanted: Incident['verdict']): number => (verdict === wanted ? 1 : 0);
    const good = of(now, 'true_positive') - of(before, 'true_positive');
    const bad = of(now, 'false_positive') - of(before, 'false_positive');
    for (const rule of new Set(rules)) {
      if (!host.verdicts.has(rule) && host.verdicts.size >= MAX_RULES) continue;
      host.verdicts.set(rule, sum(host.verdicts.get(rule), [good, bad]));
      this.#verdicts.set(rule, sum(this.#verdicts.get(rule), [good, bad]));
    }
  }

  /** After a host was restored. */
  add(host: Host): void {
    for (const [rule, chains] of host.rarity) this.#chains.set(rule, this.of(rule) + chains);
    for (const [rule, verdicts] of host.verdicts) this.#verdicts.set(rule, sum(this.#verdicts.get(rule), verdicts));
  }
}

type Pair = readonly [number, number];
const sum = ([a, b]: Pair = [0, 0], [c, d]: Pair): Pair => [Math.max(0, a + c), Math.max(0, b + d)];
