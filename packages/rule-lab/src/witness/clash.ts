import { baseName, directory, type FieldValue, fieldNamed } from '@ringfence/fields';
import { writeTest } from '@ringfence/rules';
import { type Constraint, isCertain, satisfied } from './constraint.ts';
import { isPossible } from './values.ts';

/** Comparisons of values that one search for a contradiction may take. */
const MAX_COMPARED = 20_000;

/** Largest numbers that the kernel has for a field. */
const MOST: Readonly<Record<string, number>> = {
  'file.mode': 0o7777,
  'source.port': 65_535,
  'destination.port': 65_535,
  'process.exit_code': 255,
};

/** Fields that a path decides, and how. */
const PARTS: Readonly<Record<string, { readonly of: string; readonly view: (path: string) => FieldValue }>> = {
  'process.name': { of: 'process.executable', view: baseName },
  'process.parent.name': { of: 'process.parent.executable', view: baseName },
  'file.name': { of: 'file.path', view: baseName },
  'file.directory': { of: 'file.path', view: directory },
};

/** How a rule writes a constraint. */
export const written = ({ test, holds }: Constraint): string => (holds ? writeTest(test) : `not ${writeTest(test)}`);

/** Returns the certain reason why no event of the kind satisfies all constraints; undefined: none is known. */
export function clashOf(constraints: readonly Constraint[], kind: string): string | undefined {
  for (const constraint of constraints) {
    const why = impossible(constraint, kind) ?? excluded(constraint, constraints);
    if (why !== undefined) return why;
  }
  return numbersClash(constraints) ?? startsClash(constraints) ?? endsClash(constraints);
}

/** The field has none of the demanded values. */
function impossible(constraint: Constraint, kind: string): string | undefined {
  const { test } = constraint;
  const most = MOST[test.operand.key];
  if (most !== undefined && isCertain(constraint) && /^greater/.test(test.operator) && Number(test.values[0]) > most)
    return `${written(constraint)}: ${test.operand.key} is at most ${most}`;
  if (!isCertain(constraint) || test.operator !== 'equals' || test.values.length === 0) return undefined;
  const field = fieldNamed(test.operand.field.name);
  if (field === undefined || test.operand.transforms.length > 0) return undefined;
  const values = test.values.filter((value) => isPossible(field.name, value));
  if (values.length === 0) {
    const why = field.neverIs?.(String(test.values[0]));
    return `${written(constraint)}: ${why ?? `${field.name} never has this value`}`;
  }
  const possible = field.values?.[kind];
  if (possible === undefined || values.some((value) => possible.includes(String(value)))) return undefined;
  return `${written(constraint)}: no ${kind} event has it`;
}

/** Another constraint on the same field excludes each value that this one allows. */
function excluded(constraint: Constraint, all: readonly Constraint[]): string | undefined {
  const { test } = constraint;
  const { operand } = test;
  const isList = operand.type === 'strings' && operand.argument === undefined;
  if (!isCertain(constraint) || test.operator !== 'equals' || isList || test.comparedWith !== undefined)
    return undefined;
  const others = all.filter((other) => other !== constraint && other.test.comparedWith === undefined);
  const views = others.flatMap((other): { other: Constraint; view: (value: FieldValue) => FieldValue }[] => {
    const { key, field, argument } = other.test.operand;
    const isSameField = field.name === operand.field.name && argument === operand.argument;
    if (key === operand.key || (isSameField && operand.transforms.length === 0))
      return [{ other, view: (value) => value }];
    const part = PARTS[key];
    return part?.of === operand.key ? [{ other, view: (value) => part.view(String(value)) }] : [];
  });
  const compared =
    test.values.length * views.reduce((sum, { other }) => sum + Math.max(1, other.test.values.length), 0);
  if (views.length === 0 || compared > MAX_COMPARED) return undefined;
  const passes = (value: FieldValue, { other, view }: (typeof views)[number]): boolean =>
    satisfiedBy(other, view(value), operand.key);
  if (test.values.some((value) => views.every((view) => passes(value, view)))) return undefined;
  const culprit = views.find((view) => test.values.every((value) => !passes(value, view))) ?? views[0]!;
  return `${written(constraint)} contradicts ${written(culprit.other)}`;
}

/** The value is that of the operand: its transforms are already applied if both operands are the same. */
function satisfiedBy(constraint: Constraint, value: FieldValue, key: string): boolean {
  const { test } = constraint;
  if (test.operand.key !== key) return satisfied(constraint, value);
  return satisfied({ ...constraint, test: { ...test, operand: { ...test.operand, transforms: [] } } }, value);
}

interface Range {
  readonly constraint: Constraint;
  readonly low: number;
  readonly high: number;
}

/** `x > 5 and x < 3`. */
function numbersClash(constraints: readonly Constraint[]): string | undefined {
  const ranges = constraints.flatMap((constraint): (Range & { key: string })[] => {
    const { operator, values, operand, comparedWith } = constraint.test;
    const number = Number(values[0]);
    if (!isCertain(constraint) || comparedWith !== undefined || values.length !== 1) return [];
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const key = operand.key;
    if (operator === 'less' || operator === 'lessOrEqual') return [{ constraint, key, low, high: number }];
    if (operator === 'greater' || operator === 'greaterOrEqual') return [{ constraint, key, low: number, high }];
    return [];
  });
  for (const a of ranges)
    for (const b of ranges)
      if (a.key === b.key && a.low > b.high) return `${written(a.constraint)} contradicts ${written(b.constraint)}`;
  return undefined;
}

/** `x startswith a and x startswith b`: how each of two comparisons lets a text begin. */
function startsClash(constraints: readonly Constraint[]): string | undefined {
  return pairsClash(constraints, startsOf, (a, b) => a.startsWith(b) || b.startsWith(a));
}

function endsClash(constraints: readonly Constraint[]): string | undefined {
  const ends = ({ operator, values }: Constraint['test']): readonly string[] =>
    operator === 'endswith' ? values.map(String) : [];
  return pairsClash(constraints, ends, (a, b) => a.endsWith(b) || b.endsWith(a));
}

function startsOf({ operator, values }: Constraint['test']): readonly string[] {
  if (operator === 'startswith' || operator === 'pathprefix') return values.map(String);
  return operator === 'glob' ? values.map((value) => /^[^*?[\\]*/.exec(String(value))![0]) : [];
}

function pairsClash(
  constraints: readonly Constraint[],
  partsOf: (test: Constraint['test']) => readonly string[],
  agree: (a: string, b: string) => boolean,
): string | undefined {
  const some = constraints.filter((constraint) => {
    const { type, argument } = constraint.test.operand;
    return isCertain(constraint) && (type !== 'strings' || argument !== undefined);
  });
  for (const [i, a] of some.entries())
    for (const b of some.slice(0, i)) {
      if (a.test.operand.key !== b.test.operand.key) continue;
      const [first, second] = [partsOf(a.test), partsOf(b.test)];
      if (first.length === 0 || second.length === 0 || first.length * second.length > MAX_COMPARED) continue;
      if (!first.some((x) => second.some((y) => agree(x, y)))) return `${written(b)} contradicts ${written(a)}`;
    }
  return undefined;
}
