import type { JoinedRule, Priority } from '@ringfence/wire';
import type { Chain } from '../state/chain.ts';

/**
 * Weight of a rule by its priority. With the default threshold of 40, two warnings of distinct tactics (a sum of
 * 2 × 16 × 1.5 = 48) or one critical alert are an incident; two warnings of one tactic (at most 38) or a lone error (at
 * most 34) are not.
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
/** The share that each distinct tactic beyond the first adds */
const PER_TACTIC = 0.5;
/** The share that a rule adds that never had a part in a chain; it shrinks with each chain */
const RARITY = 0.2;
/** Time in which an alert's weight halves, µs */
const HALF_LIFE_US = 3_600_000_000;

/** `chains`: chains of the fleet in which the rule had a part. `trust`: 1, lower after false positives. */
export function weightOf(priority: Priority, chains: number, trust: number): number {
  return WEIGHT[priority] * (1 + RARITY / (1 + chains)) * trust;
}

/** A sum of this much scores 50: scores stay below 100, and a sum of 40 scores 40. */
const HALF_SUM = 60;

/** The weight that is left after some half-lives. */
const faded = (weight: number, ageUs: number): number => weight * 2 ** (-Math.max(0, ageUs) / HALF_LIFE_US);

/** Returns the weight of each rule of the chain, and when it last matched by the host's wall clock. */
export const weighed = ({ rules, lastSeen, lastKtime }: Chain): JoinedRule[] =>
  Object.entries(rules).map(([rule, { weight, ktime }]) => ({ rule, weight, at: lastSeen - (lastKtime - ktime) }));

/**
 * Returns a score from 0 to below 100, from the chain, its members and event time alone: two halves below the threshold
 * may be an incident together. A rule counts once over all hosts, with the weight it had when it first matched there.
 */
export function scoreOf(chain: Chain): number {
  const members = [...chain.members.values()];
  const parts = [chain, ...members.map((member) => member.chain)];
  const now = Math.max(...parts.map(({ lastSeen }) => lastSeen));
  const rules = new Map<string, number>();
  for (const { rule, weight, at } of [...weighed(chain), ...members.flatMap((member) => member.rules)])
    rules.set(rule, Math.max(rules.get(rule) ?? 0, faded(weight, now - at)));
  const tactics = new Set(parts.flatMap(({ stages }) => stages.map(({ tactic }) => tactic)));
  const sum = [...rules.values()].reduce((total, weight) => total + weight, 0);
  const boosted = sum * (1 + PER_TACTIC * Math.max(0, tactics.size - 1));
  return (100 * boosted) / (boosted + HALF_SUM);
}
