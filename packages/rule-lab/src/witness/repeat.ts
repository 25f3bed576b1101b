import type { CompiledRule, Operand } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import type { Constraint } from './constraint.ts';
import { type Entries, groupOf } from './groups.ts';
import type { Found } from './search.ts';

type Rule = CompiledRule<EventView>;

/** A number that a rule asks of a field, and on which side of it the values are. */
interface Asked {
  readonly operand: Operand<EventView>;
  readonly operator: Constraint['test']['operator'];
  readonly value: number;
}

/** Different values that are written out one by one. */
const MOST_LISTED = 300;
/** Later than any window that ends, for the tick that ends it. */
const SLACK_US = 10_000_000;
const MICROS = 1e6;

export const seconds = (micros: number): string => `${Math.ceil(micros / MICROS)}s`;

/** Returns constraints on the event of a rule that counts: the fields that it counts by, and large enough numbers. */
export function countedConstraints({ threshold, summary, firstSeen }: Rule): readonly Constraint[] {
  const by = [...(threshold?.by ?? []), ...(summary?.by ?? []), ...(firstSeen?.by ?? [])];
  const there = [...by, threshold?.distinct, threshold?.sum, summary?.of].filter((operand) => operand !== undefined);
  return [...there.map(present), ...numbers({ threshold, summary } as Rule).map(numeric)];
}

export function present(operand: Operand<EventView>): Constraint {
  return { kind: 'literal', holds: true, test: { kind: 'test', operand, operator: 'exists', negated: false, values: [] } };
}

function numeric({ operand, operator, value }: Asked): Constraint {
  return { kind: 'literal', holds: true, test: { kind: 'test', operand, operator, negated: false, values: [value] } };
}

function numbers({ threshold, summary }: Rule): Asked[] {
  if (threshold?.sum !== undefined)
    return [{ operand: threshold.sum, operator: 'greaterOrEqual', value: threshold.atLeast }];
  const { of, measure, bounds = [] } = summary ?? {};
  if (of === undefined || measure === 'distinct') return [];
  const operators = { at_least: 'greaterOrEqual', above: 'greater', at_most: 'lessOrEqual', below: 'less' } as const;
  return bounds.map(({ is, value }) => ({ operand: of, operator: operators[is], value }));
}

/** Yields events that should make a rule match which looks at one kind of event, from one that satisfies its condition. */
export function* repeated(rule: Rule, found: Found): Generator<readonly Entries[]> {
  const { threshold, summary, firstSeen } = rule;
  const before = found.events.slice(0, -1);
  const last = found.events.at(-1) ?? {};
  const [learnUs, withinUs] = [firstSeen?.learnUs ?? 0, summary?.withinUs];
  const end = withinUs === undefined ? [] : [{ after: seconds(withinUs + SLACK_US) }];
  const distinct = threshold?.distinct ?? (summary?.measure === 'distinct' ? summary.of : undefined);
  if (firstSeen !== undefined) {
    for (const other of variants(found, firstSeen.by)) yield [...before, other, { ...last, after: seconds(learnUs) }];
    return;
  }
  const count = Math.ceil(threshold?.atLeast ?? leastOf(rule));
  if (distinct !== undefined) {
    for (const events of different(found, distinct, count)) yield [...before, ...events, ...end];
    return;
  }
  const times = threshold?.sum === undefined ? count : 1;
  const everyUs = threshold?.everyUs;
  const pause = everyUs === undefined ? {} : { after: seconds(2 * everyUs) };
  for (const same of sameProcess(last))
    yield [...before, ...(times > 1 ? [{ ...same, repeat: times + (everyUs === undefined ? 0 : 1), ...pause }] : [same]), ...end];
}

function leastOf({ summary }: Rule): number {
  if (summary === undefined || (summary.measure !== 'count' && summary.measure !== 'distinct')) return 1;
  const least = summary.bounds.map(({ is, value }) => (is === 'at_least' ? value : is === 'above' ? value + 1 : 1));
  return Math.max(1, ...least);
}

/** The same program is another process each time that it starts, unless the event names the process. */
function* sameProcess(event: Entries): Generator<Entries> {
  yield event;
  yield { 'process.pid': 5000, ...event };
}

function* variants(found: Found, by: readonly Operand<EventView>[]): Generator<Entries> {
  const text = JSON.stringify(found.events.at(-1));
  for (const operand of by)
    for (const other of found.vary(groupOf(present(operand)))) if (JSON.stringify(other) !== text) yield other;
}

/** Yields lists of events in which a field has so many different values. */
function* different(found: Found, operand: Operand<EventView>, count: number): Generator<readonly Entries[]> {
  const last = found.events.at(-1) ?? {};
  for (const [key, value] of Object.entries(last)) {
    if (key === 'event.action') continue;
    for (const template of templates(value))
      for (const event of sameProcess({ ...last, [key]: template })) yield [{ ...event, repeat: count }];
  }
  if (count > MOST_LISTED) return;
  const listed = new Map<string, Entries>();
  for (const event of found.vary(groupOf(present(operand)))) {
    listed.set(JSON.stringify(event), event);
    if (listed.size < count) continue;
    yield [...listed.values()];
    yield [...listed.values()].map((one) => ({ 'process.pid': 5000, ...one }));
    return;
  }
}

/** Yields values with a place for the number of the repetition. */
function* templates(value: unknown): Generator<unknown> {
  if (typeof value === 'number') yield* ['{n}', '1{n}', '20{n}'];
  else if (Array.isArray(value)) {
    for (const last of templates(value.at(-1))) yield [...value.slice(0, -1), last];
    yield [...value, '{n}'];
  } else if (typeof value === 'string') {
    const address = /^(\d+\.\d+\.)(\d+)\.\d+$/.exec(value);
    if (address !== null) yield* [`${address[1]}${address[2]}.{n}`, `${address[1]}{n}.9`];
    yield `${value}{n}`;
    yield value.replace(/(\.[^./]*)$/, '{n}$1');
    yield value.replace(/\/([^/]*)$/, '/{n}/$1');
    yield value.replace(/\/([^/]*)$/, '/{n}$1');
    yield value.replace(/^([^/.]+)(.*)$/, '{n}$1$2');
  }
}
