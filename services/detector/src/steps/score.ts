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
/** More for a rule that has never had a part in a chain, less with each it had. */
const RARITY = 0.2;
/** Half of an alert's weight is gone after this long, µs. */
const HALF_LIFE_US = 3_600_000_000;

/** `chains`: in how many chains the rule has had a part; `trust`: 1, less when some of those were none. */
export function weightOf(priority: Priority, chains: number, trust: number): number {
  return WEIGHT[priority] * (1 + RARITY / (1 + chains)) * trust;
}

/** What a sum of this much is half of: keeps scores below 100, and makes a sum of 40 a score of 40. */
const HALF_SUM = 60;

/** What one rule adds now: half of it is gone after each half-life. */
const faded = (weight: number, ageUs: number): number => weight * 2 ** (-Math.max(0, ageUs) / HALF_LIFE_US);

function scoreOf(contributions: Iterable<number>, tactics: number): number {
  let sum = 0;
  for (const one of contributions) sum += one;
  const weighed = sum * (1 + PER_TACTIC * Math.max(0, tactics - 1));
  return (100 * weighed) / (weighed + HALF_SUM);
}

/** From 0 to below 100; a function of the chain and of event time alone, in µs. */
export function scoreAt(chain: Chain, ktime: number): number {
  const rules = Object.values(chain.rules);
  return scoreOf(
    rules.map(({ weight, ktime: last }) => faded(weight, ktime - last)),
    chain.stages.length,
  );
}

/** How much a rule is believed: 1, less when incidents with it were none. */
export type TrustIn = (rule: string) => number;

/** Of the chain with its members: two halves that are nothing each may be an attack together. A rule counts once, whichever host it matched on. */
export function scoreOfAll(chain: Chain, trustIn: TrustIn): number {
  if (chain.members.size === 0) return scoreAt(chain, chain.lastKtime);
  const members = [...chain.members.values()].map(({ chain: member }) => member);
  const now = Math.max(chain.lastSeen, ...members.map(({ lastSeen }) => lastSeen));
  const rules = new Map<string, number>();
  const add = (rule: string, weight: number, ageUs: number): void => {
    rules.set(rule, Math.max(rules.get(rule) ?? 0, faded(weight, ageUs)));
  };
  const silent = now - chain.lastSeen;
  for (const [rule, { weight, ktime }] of Object.entries(chain.rules))
    add(rule, weight, silent + chain.lastKtime - ktime);
  for (const { alerts } of members)
    for (const { rule, priority, timestamp } of alerts) add(rule, WEIGHT[priority] * trustIn(rule), now - timestamp);
  const tactics = new Set([chain, ...members].flatMap(({ stages }) => stages.map(({ tactic }) => tactic)));
  return scoreOf(rules.values(), tactics.size);
}
