import type { FieldLookup } from '../../model/catalogue.ts';
import type { Expression, Operand } from '../../model/expression.ts';
import { resolveTest, type Value } from '../resolve/test.ts';
import type { TestSyntax } from '../syntax/syntax.ts';
import { byteText } from './text.ts';

/** Falco's spellings of an absent value. */
const ABSENT: ReadonlySet<string> = new Set(['<NA>', 'N/A']);
const EQUAL: ReadonlySet<string> = new Set(['=', 'in', 'intersects']);
const WILDCARD = /[*?[]/;

/** Resolves a comparison with Falco's meaning. @throws Fault */
export function resolveFalcoTest<E>(
  syntax: TestSyntax,
  operand: Operand<E>,
  values: readonly Value[],
  fields: FieldLookup<E>,
): Expression<E> {
  if (syntax.operator === 'regex') return resolveTest(syntax, operand, values.map(whole));
  const meant = values.map(({ text, at }) => ({ text: byteText(text), at }));
  if (syntax.operator === 'pmatch') return pathMatch(syntax, operand, meant);
  const { otherwise } = operand.field;
  const isAbsent = ({ text }: Value): boolean => ABSENT.has(text) || text === otherwise?.value;
  const present = meant.filter((value) => !isAbsent(value));
  if (!EQUAL.has(syntax.operator) || present.length === values.length) return resolveTest(syntax, operand, meant);
  const exists = thereTest(otherwise === undefined ? operand : named(otherwise.of, fields));
  if (syntax.negated)
    return present.length === 0 ? exists : { kind: 'and', items: [exists, resolveTest(syntax, operand, present)] };
  const absent: Expression<E> = { kind: 'not', item: exists };
  return present.length === 0 ? absent : { kind: 'or', items: [absent, resolveTest(syntax, operand, present)] };
}

const thereTest = <E>(operand: Operand<E>): Expression<E> => ({
  kind: 'test',
  operand,
  operator: 'exists',
  negated: false,
  values: [],
});

/** Returns a field of the native language, whatever the name means in Falco. */
function named<E>(name: string, fields: FieldLookup<E>): Operand<E> {
  const field = fields.native(name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return { key: field.name, field, argument: undefined, transforms: [], type: field.type };
}

/** Falco's regular expressions match the whole text. */
const whole = ({ text, at }: Value): Value => ({ text: `^(?:${text})$`, at });

/** Wildcards in a path stay between two slashes. */
function pathMatch<E>(syntax: TestSyntax, operand: Operand<E>, values: readonly Value[]): Expression<E> {
  const plain = values.filter(({ text }) => !WILDCARD.test(text));
  if (plain.length === values.length) return resolveTest(syntax, operand, values);
  const patterns = values
    .filter(({ text }) => WILDCARD.test(text))
    .map(({ text, at }) => ({ text: prefixPattern(text), at }));
  const tests = [resolveTest({ ...syntax, operator: 'regex' as const }, operand, patterns)];
  if (plain.length > 0) tests.push(resolveTest(syntax, operand, plain));
  return tests.length === 1 ? tests[0]! : { kind: syntax.negated ? 'and' : 'or', items: tests };
}

function prefixPattern(path: string): string {
  const body = path
    .replace(/\/+$/, '')
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('[!', '[^');
  return `^${body}(?:/.*)?$`;
}
