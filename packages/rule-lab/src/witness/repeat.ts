import type { CompiledRule, FirstSeen, Operand } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { type Constraint, demand, literals } from './constraint.ts';
import { type Entries, groupOf } from './groups.ts';
import type { Found } from './search.ts';

type Rule = CompiledRule<EventView>;

/** Different values that are written out one by one. */
const MOST_LISTED = 40;
/** Keys whose values can be numbered. */
const MAY_VARY =
  /^(?:file\.|destination\.|source\.|dns\.|process\.(?:executable|args)|ringfence\.|tls\.|attempt\.|message|event\.result)/;
/** Values for a field that the event has without a key. */
const USUAL: Readonly<Record<string, unknown>> = { number: 1, ip: '203.0.113.9', string: 'example.com' };
/** Characters of a value that is recognised inside of others. */
const SHORTEST = 3;
/** Later than any window that ends, for the tick that ends it. */
const SLACK_US = 10_000_000;
const MICROS = 1e6;

export const seconds = (micros: number): string => `${Math.ceil(micros / MICROS)}s`;

/** Returns constraints on the event of a rule that counts: the fields that it counts by, and large enough numbers. */
export function countedConstraints(rule: Rule): readonly Constraint[] {
  const { threshold, summary, firstSeen } = rule;
  const by = [...(threshold?.by ?? []), ...(summary?.by ?? []), ...(firstSeen?.by ?? [])];
  const there = [...by, threshold?.distinct, threshold?.sum, summary?.of].filter((operand) => operand !== undefined);
  return [...there.map(present), ...numbers(rule)];
}

export const present = (operand: Operand<EventView>): Constraint => demand(operand, 'exists');

function numbers({ threshold, summary }: Rule): Constraint[] {
  if (threshold?.sum !== undefined) return [demand(threshold.sum, 'greaterOrEqual', [threshold.atLeast])];
  const { of, measure, bounds = [] } = summary ?? {};
  if (of === undefined || measure === 'distinct') return [];
  const operators = { at_least: 'greaterOrEqual', above: 'greater', at_most: 'lessOrEqual', below: 'less' } as const;
  return bounds.map(({ is, value }) => demand(of, operators[is], [value]));
}

/** Looks for another event of the rule that satisfies further constraints; undefined: none was found. */
export type Again = (constraints: readonly Constraint[]) => Found | undefined;

/** Yields events that should make a rule without a sequence match, from one that satisfies its condition. */
export function* repeated(rule: Rule, found: Found, again: Again): Generator<readonly Entries[]> {
  const { threshold, summary, firstSeen } = rule;
  const before = found.events.slice(0, -1);
  const last = found.events.at(-1) ?? {};
  const end = summary === undefined ? [] : [{ after: seconds(summary.withinUs + SLACK_US) }];
  const distinct = threshold?.distinct ?? (summary?.measure === 'distinct' ? summary.of : undefined);
  const count = Math.ceil(threshold?.atLeast ?? leastOf(rule));
  if (firstSeen !== undefined) yield* learned(firstSeen, found, again);
  else if (distinct === undefined) {
    const everyUs = threshold?.everyUs;
    const times = threshold?.sum === undefined ? count + (everyUs === undefined ? 0 : 1) : 1;
    const more = { ...(times > 1 ? { repeat: times } : {}), ...(everyUs && { after: seconds(2 * everyUs) }) };
    for (const same of sameProcess(last)) yield [...before, { ...same, ...more }, ...end];
  } else for (const events of different(found, distinct, count, again)) yield [...before, ...events, ...end];
}

/** Another combination is seen first, and while the rule learns. */
function* learned({ by, learnUs }: FirstSeen<EventView>, found: Found, again: Again): Generator<readonly Entries[]> {
  const after = learnUs === 0 ? {} : { after: seconds(learnUs) };
  const last = { ...found.events.at(-1), ...after };
  if (learnUs === 0) yield [...found.events.slice(0, -1), last];
  for (const operand of by) {
    const other = again([demand(operand, 'equals', literals(found.values.get(operand.key)), true)]);
    if (other !== undefined) yield [...other.events, ...found.events.slice(0, -1), last];
  }
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

/** Yields lists of events in which a field has so many different values. */
function* different(
  found: Found,
  operand: Operand<EventView>,
  count: number,
  again: Again,
): Generator<readonly Entries[]> {
  const name = groupOf(present(operand));
  const usual = USUAL[operand.field.type];
  const given = name === 'file' ? { 'file.path': '/srv/x' } : {};
  const added = name.includes('.') && usual !== undefined ? { [name]: usual } : given;
  const last = { ...added, ...found.events.at(-1) };
  for (const [key, value] of Object.entries(last)) {
    if (!MAY_VARY.test(key)) continue;
    for (const template of templates(value))
      for (const event of sameProcess(replaced(last, key, template))) yield [{ ...event, repeat: count }];
  }
  if (count > MOST_LISTED) return;
  const listed = [found];
  while (listed.length < count) {
    const values = listed.flatMap((one) => literals(one.values.get(operand.key)));
    const other = again([demand(operand, 'equals', values, true)]);
    if (other === undefined) return;
    listed.push(other);
  }
  yield listed.flatMap(({ events }) => events);
  yield listed.flatMap(({ events }) => events.map((event) => ({ 'process.pid': 5000, ...event })));
}

/** Sets a key, and changes the values that contain its former value in the same way. */
function replaced(entries: Entries, key: string, template: unknown): Entries {
  const former = entries[key];
  const change = (value: unknown): unknown =>
    typeof value === 'string' && typeof former === 'string' && former.length >= SHORTEST
      ? value.replaceAll(former, String(template))
      : value;
  return {
    ...Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value)])),
    [key]: template,
  };
}

/** Yields values with a place for the number of the repetition. */
function* templates(value: unknown): Generator<unknown> {
  for (const template of new Set(allTemplates(value))) if (JSON.stringify(template).includes('{n}')) yield template;
}

function* allTemplates(value: unknown): Generator<unknown> {
  if (typeof value === 'number') yield* ['{n}', '1{n}', '20{n}'];
  else if (Array.isArray(value)) {
    for (const last of allTemplates(value.at(-1))) yield [...value.slice(0, -1), last];
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
