import type { JoinedRule, Priority } from '@ringfence/wire';
import type { Chain } from '../state/chain.ts';

/**
 * What one rule adds. With the default threshold of 40: two warnings of distinct tactics are an incident (a sum of 2 × 16 × 1.5 = 48), one critical alert
 * is, two warnings of one tactic (at most 38) or a lone error (at most 34) are not.
 */
const WEIGHT: Readonly<Record<Priority, number>> = {
  debug: 0,
  informational: 1,
  notice: 5,
  warning: 16,
  error: 28,
  critical: 60,
  alert: 80,
  emergency: 100,
};
/** More for each distinct tactic beyond the first. */
const PER_TACTIC = 0.5;
/** More for a rule that has never had a part in a chain, less with each it had. */
const RARITY = 0.2;
/** Half of an alert's weight is gone after this long, µs. */
const HALF_LIFE_US = 3_600_000_000;

/** `chains`: in how many chains of the fleet the rule has had a part; `trust`: 1, less when some of those were none. */
export function weightOf(priority: Priority, chains: number, trust: number): number {
  return WEIGHT[priority] * (1 + RARITY / (1 + chains)) * trust;
}

/** What a sum of this much is half of: keeps scores below 100, and makes a sum of 40 a score of 40. */
const HALF_SUM = 60;

/** What one rule adds now: half of it is gone after each half-life. */
const faded = (weight: number, ageUs: number): number => weight * 2 ** (-Math.max(0, ageUs) / HALF_LIFE_US);

/** What each rule of the chain adds, and when it last matched by the host's wall clock. */
export const weighed = ({ rules, lastSeen, lastKtime }: Chain): JoinedRule[] =>
  Object.entries(rules).map(([rule, { weight, ktime }]) => ({ rule, weight, at: lastSeen - (lastKtime - ktime) }));

/**
 * From 0 to below 100; a function of the chain, its members and event time alone: two halves that are nothing each may be an attack together. A rule counts
 * once, whichever host it matched on, as much as it did there when it first matched.
 */
export function scoreOf(chain: Chain): number {
  const members = [...chain.members.values()];
  const parts = [chain, ...members.map((member) => member.chain)];
  const now = Math.max(...parts.map(({ lastSeen }) => lastSeen));
  const rules = new Map<string, number>();
  for (const { rule, weight, at } of [...weighed(chain), ...members.flatMap((member) => member.rules)])
    rules.set(rule, Math.max(rules.get(rule) ?? 0, faded(weight, now - at)));
  const tactics = new Set(parts.flatMap(({ stages }) => stages.map(({ tactic }) => tactic)));
  const sum = [...rules.values()].reduce((all, one) => all + one, 0);
  const boosted = sum * (1 + PER_TACTIC * Math.max(0, tactics.size - 1));
  return (100 * boosted) / (boosted + HALF_SUM);
}
