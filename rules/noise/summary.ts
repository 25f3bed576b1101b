import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledRule, Priority, Profile } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';

/** What was measured last; the recordings that it comes from are too large to be kept here. */
export const SUMMARY: string = join(import.meta.dirname, 'summary.json');

export interface Summary {
  /** the day of the judgement */
  readonly measured: string;
  readonly kernel: string;
  readonly recordings: number;
  /** without ticks, which the agent makes itself */
  readonly events: number;
  /** of the recordings, by the events' own time */
  readonly minutes: number;
  /** recommended, of high severity */
  readonly high: number;
  readonly alerts: readonly AlertCount[];
  /** of each rule that judged, the digest of what it means */
  readonly rules: Readonly<Record<string, string>>;
}

export interface AlertCount {
  readonly rule: string;
  readonly priority: Priority;
  readonly profile: Profile;
  readonly times: number;
}

export function readSummary(): Summary {
  return JSON.parse(readFileSync(SUMMARY, 'utf8')) as Summary;
}

export function writeSummary(summary: Summary): void {
  writeFileSync(SUMMARY, `${JSON.stringify(summary, null, 2)}\n`);
}

type Rule = CompiledRule<EventView>;

/** By name; a list or macro that changes changes the rules that use it, a description or an output doesn't. */
export function digestsOf(rules: readonly Rule[]): Record<string, string> {
  return Object.fromEntries(rules.map((rule) => [rule.name, digestOf(rule)]));
}

function digestOf({ priority, profile, expression, threshold, summary, firstSeen, limits, sequence }: Rule): string {
  const meaning = { priority, profile, expression, threshold, summary, firstSeen, limits, sequence };
  return createHash('sha256').update(JSON.stringify(meaning, withoutFields)).digest('hex').slice(0, 12);
}

/** An operand has the name of its field: what the catalogue says of the field is no part of a rule. */
const withoutFields = (key: string, value: unknown): unknown => (key === 'field' ? undefined : value);

/** Names of rules that are new, gone, or mean something else than when they were measured. */
export function changedSince(summary: Summary, rules: readonly Rule[]): string[] {
  const now = digestsOf(rules);
  const names = new Set([...Object.keys(summary.rules), ...Object.keys(now)]);
  return [...names].filter((name) => summary.rules[name] !== now[name]).sort();
}
