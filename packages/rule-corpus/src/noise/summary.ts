import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledRule, Priority, Profile } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';

/** The last measurement. Its recordings are too large for the repository. */
const SUMMARY = join(import.meta.dirname, '../../noise.json');

export interface Summary {
  /** Command that writes the file. */
  readonly madeBy: string;
  /** Day on which the recordings were judged. */
  readonly measured: string;
  readonly kernel: string;
  readonly recordings: number;
  /** Number of events, without the agent's own ticks. */
  readonly events: number;
  /** Minutes of the recordings, by the events' own time. */
  readonly minutes: number;
  /** Number of recommended alerts of high severity. */
  readonly high: number;
  readonly alerts: readonly AlertCount[];
  /** Digest of each rule's meaning, by name. */
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

/**
 * Returns the digests of rules, by name. A digest depends on lists and macros that the rule uses, but not on its
 * description or output.
 */
export function digestsOf(rules: readonly Rule[]): Record<string, string> {
  return Object.fromEntries(rules.map((rule) => [rule.name, digestOf(rule)]));
}

function digestOf({ priority, profile, expression, threshold, summary, firstSeen, limits, sequence }: Rule): string {
  const meaning = { priority, profile, expression, threshold, summary, firstSeen, limits, sequence };
  return createHash('sha256').update(JSON.stringify(meaning, withoutFields)).digest('hex').slice(0, 12);
}

/** Leaves out the catalogue's entry of a field, which is no part of the rule; the operand also has the field's name. */
const withoutFields = (key: string, value: unknown): unknown => (key === 'field' ? undefined : value);

/**
 * Returns the names of rules that were added, removed or changed in meaning since the measurement, in alphabetical
 * order.
 */
export function changedSince(summary: Summary, rules: readonly Rule[]): string[] {
  const now = digestsOf(rules);
  const names = new Set([...Object.keys(summary.rules), ...Object.keys(now)]);
  return [...names].filter((name) => summary.rules[name] !== now[name]).sort();
}
