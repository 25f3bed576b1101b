import type { KindsOf } from '../compile/nodes/possible-kinds.ts';
import { Fault } from '../diagnostics/errors.ts';
import { writeTest } from '../explain/explain.ts';
import type { Expression, Operand } from '../model/expression.ts';
import type { Sequence } from '../model/sequence.ts';
import { leastOf } from './memory/bounds.ts';
import { type Counted, collectOperands, neededOperands } from './resolve/operands-of.ts';

const SHOWN = 4;
/** Parts of a condition that are compared in pairs. */
const COMPARED = 32;

/** What a rule asks of events. */
interface Asked<E> {
  readonly expression: Expression<E>;
  readonly sequence?: Sequence<E> | undefined;
  readonly counted?: Counted<E> | undefined;
}

/**
 * Returns the reason why a rule can never match, if there is one: in its condition, in what it counts, or in a step.
 * @param at offset of the condition
 */
export function neverMatches<E>(
  name: string,
  { expression, sequence, counted }: Asked<E>,
  at: number,
  kindsOf: KindsOf<E>,
): Fault | undefined {
  const steps = sequence?.steps ?? [];
  const asked =
    sequence === undefined
      ? [{ clause: '', kind: 'event', all: withFields(expression, neededOperands(counted)) }]
      : steps.map(({ kind, expression: step, by: fields }, i) => ({
          clause: steps.length === 1 ? '' : `, as its step ${i + 1} can't`,
          kind,
          all: withFields(step, fields),
        }));
  const never = asked.find(({ kind, all }) => kind === 'event' && kindsOf(all).length === 0);
  return never === undefined ? neverSoMany(name, counted, at) : neverHolds(name, never.all, at, kindsOf, never.clause);
}

/** Returns a fault if a rule counts more distinct values of a field than a group of events can have. */
export function neverSoMany<E>(name: string, counted: Counted<E> | undefined, at: number): Fault | undefined {
  const { of, least } = distinctOf(counted);
  if (of === undefined) return undefined;
  const [most, why] = counted?.by.some(({ key }) => key === of.key)
    ? [1, `of ${of.key}, by which it groups events`]
    : [of.type === 'bool' ? 2 : Number.POSITIVE_INFINITY, `of ${of.key}, which is true or false`];
  if (least <= most) return undefined;
  return new Fault('never', at, `rule '${name}' can never match: it counts ${least} different values ${why}`);
}

/** Returns the operand whose distinct values are counted, and how many are needed. */
function distinctOf<E>(counted: Counted<E> | undefined): { of: Operand<E> | undefined; least: number } {
  if (counted !== undefined && 'atLeast' in counted) return { of: counted.distinct, least: counted.atLeast };
  if (counted !== undefined && 'measure' in counted && counted.measure === 'distinct')
    return { of: counted.of, least: leastOf('distinct', counted.bounds) };
  return { of: undefined, least: 0 };
}

/** Adds the condition that the fields are present: an event that lacks one of them takes no part. */
export function withFields<E>(expression: Expression<E>, fields: readonly Operand<E>[]): Expression<E> {
  const there = fields.map((operand): Expression<E> => {
    return { kind: 'test', operand, operator: 'exists', negated: false, values: [] };
  });
  return there.length === 0 ? expression : { kind: 'and', items: [expression, ...there] };
}

/**
 * Returns a fault that the condition at `at` holds on no kind of event, with the part that causes it.
 * @param kindsOf returns the kinds on which a part can hold
 */
export function neverHolds<E>(
  name: string,
  expression: Expression<E>,
  at: number,
  kindsOf: KindsOf<E>,
  clause = '',
): Fault {
  const parts = conjunctsOf(expression);
  const culprit = parts.find((part) => kindsOf(part).length === 0);
  const prefix = `rule '${name}' can never match${clause}`;
  const clash = culprit === undefined ? clashOf(parts, kindsOf) : undefined;
  if (clash !== undefined) return new Fault('never', at, `${prefix}: ${clash.key} can't be both at once`, clash.hint);
  if (culprit === undefined)
    return new Fault('never', at, `${prefix}: no kind of event has all its fields`, whereFieldsAre(parts));
  const empty = comparedWithNothing(culprit);
  if (empty === undefined) return new Fault('never', at, `${prefix}: ${wordsOf(culprit)}`);
  return new Fault(
    'never',
    at,
    `${prefix}: ${empty} is compared with an empty list`,
    'Fill the list, or switch the rule off.',
  );
}

/** Returns the parts of a conjunction, with macros expanded. */
function conjunctsOf<E>(expression: Expression<E>): Expression<E>[] {
  if (expression.kind === 'and') return expression.items.flatMap(conjunctsOf);
  if (expression.kind === 'named' && opened(expression.item).kind === 'and') return conjunctsOf(expression.item);
  return [expression];
}

/** Returns the field of which two parts need different values, and these parts where they are single comparisons. */
function clashOf<E>(
  parts: readonly Expression<E>[],
  kindsOf: KindsOf<E>,
): { readonly key: string; readonly hint: string } | undefined {
  const tests = parts
    .slice(0, COMPARED)
    .map((part) => ({ part, key: new Set(collectOperands(part).map(({ key }) => key)) }))
    .filter(({ key }) => key.size === 1)
    .map(({ part, key: [key] }) => ({ part, key }));
  for (const [i, { part, key = '' }] of tests.entries())
    for (const earlier of tests.slice(0, i)) {
      if (earlier.key !== key || kindsOf({ kind: 'and', items: [earlier.part, part] }).length > 0) continue;
      const [first, second] = [opened(earlier.part), opened(part)];
      const either = "Write 'or' where either will do.";
      if (first.kind !== 'test' || second.kind !== 'test') return { key, hint: either };
      return { key, hint: `${writeTest(first)} contradicts ${writeTest(second)}. ${either}` };
    }
  return undefined;
}

function opened<E>(expression: Expression<E>): Expression<E> {
  return expression.kind === 'named' ? opened(expression.item) : expression;
}

/** Returns the field that is compared with an empty list of values; undefined: no such comparison. */
function comparedWithNothing<E>(part: Expression<E>): string | undefined {
  const test = opened(part);
  if (test.kind !== 'test' || test.operator === 'exists' || test.comparedWith !== undefined) return undefined;
  return test.values.length === 0 ? test.operand.key : undefined;
}

function wordsOf<E>(part: Expression<E>): string {
  if (hasConstant(part)) return 'a part of it reads a field that is never available';
  if (part.kind === 'named' && part.local === undefined) return `'${part.name}' holds on no event`;
  const fields = collectOperands(part).map(({ key }) => key);
  return `its condition on ${fields.slice(0, SHOWN).join(', ')}${fields.length > SHOWN ? ', …' : ''} holds on no event`;
}

/** A field that is never available was reported at its place, and counts as false. */
function hasConstant<E>(part: Expression<E>): boolean {
  if (part.kind === 'constant') return true;
  return 'items' in part ? part.items.some(hasConstant) : 'item' in part && hasConstant(part.item);
}

function whereFieldsAre<E>(parts: readonly Expression<E>[]): string {
  const limited = collectOperands({ kind: 'and', items: parts }).filter(({ field }) => field.kinds !== undefined);
  return limited
    .slice(0, SHOWN)
    .map(({ field }) => `${field.name} is on ${field.kinds!.join(', ')}.`)
    .join(' ');
}
