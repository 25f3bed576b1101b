import type { Expression, Operand } from '../../expression.ts';
import type { TestSyntax } from '../syntax.ts';
import { resolveTest, type Value } from '../test.ts';
import { byteText } from './text.ts';

/** How Falco writes a field that isn't there. */
const ABSENT: ReadonlySet<string> = new Set(['<NA>', 'N/A']);
const EQUAL: ReadonlySet<string> = new Set(['=', 'in', 'intersects']);
const WILDCARD = /[*?[]/;

/** A comparison as Falco means it. @throws Fault */
export function resolveFalcoTest<E>(syntax: TestSyntax, operand: Operand<E>, values: readonly Value[]): Expression<E> {
  if (syntax.operator === 'regex') return resolveTest(syntax, operand, values.map(whole));
  const meant = values.map(({ text, at }) => ({ text: byteText(text), at }));
  if (syntax.operator === 'pmatch') return pathMatch(syntax, operand, meant);
  const present = meant.filter(({ text }) => !ABSENT.has(text));
  if (!EQUAL.has(syntax.operator) || present.length === values.length) return resolveTest(syntax, operand, meant);
  const exists = resolveTest({ ...syntax, operator: 'exists', negated: false }, operand, []);
  if (syntax.negated)
    return present.length === 0 ? exists : { kind: 'and', items: [exists, resolveTest(syntax, operand, present)] };
  const absent: Expression<E> = { kind: 'not', item: exists };
  return present.length === 0 ? absent : { kind: 'or', items: [absent, resolveTest(syntax, operand, present)] };
}

/** Falco's regular expressions fit the whole text. */
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
