import type { Priority } from '@ringfence/schema';
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
/** More for a rule that has never had a part in a chain of this host, less with each it had. */
const RARITY = 0.2;
/** Half of an alert's weight is gone after this long, µs. */
const HALF_LIFE_US = 3_600_000_000;

/** `chains`: in how many chains of the host the rule has had a part. */
export function weightOf(priority: Priority, chains: number): number {
  return WEIGHT[priority] * (1 + RARITY / (1 + chains));
}

/** What a sum of this much is half of: keeps scores below 100, and makes a sum of 40 a score of 40. */
const HALF_SUM = 60;

/** From 0 to below 100; a function of the chain and of event time alone, in µs. */
export function scoreAt(chain: Chain, ktime: number): number {
  let sum = 0;
  for (const { weight, ktime: last } of Object.values(chain.rules))
    sum += weight * 2 ** (-Math.max(0, ktime - last) / HALF_LIFE_US);
  const weighed = sum * (1 + PER_TACTIC * Math.max(0, chain.stages.length - 1));
  return (100 * weighed) / (weighed + HALF_SUM);
}
