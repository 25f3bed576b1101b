/**
 * The meaning of tests in the plainest code: it decides constants, explains conditions, and is the reference for the
 * compiled form.
 */
import type { FieldValue } from '../model/catalogue.ts';
import type { Literal, Test, TestOperator } from '../model/expression.ts';
import { compileGlob } from '../text/glob.ts';
import { compileNetworks, parseNetwork } from '../text/ip.ts';
import { compileRegex } from '../text/regex.ts';

type Item = string | number | boolean;

/** Whether a test holds for a value; `other` is the value of the field that it is compared with, if any. */
export function holds<E>(test: Test<E>, value: FieldValue, otherValue?: FieldValue): boolean {
  if (value === undefined) return false;
  if (test.operator === 'exists') return true;
  if (test.comparedWith !== undefined && otherValue === undefined) return false;
  const literals = test.comparedWith === undefined ? test.values : ([otherValue].flat() as Literal[]);
  const items: readonly Item[] = typeof value === 'object' ? value : [value];
  return items.some((item) => literals.some((literal) => compares(test.operator, item, literal))) !== test.negated;
}

/** Whether a test holds for a value when it is compared with another value instead of with its own literals. */
export function holdsBetween<E>({ operator, negated }: Test<E>, value: FieldValue, otherValue: FieldValue): boolean {
  if (value === undefined || otherValue === undefined) return false;
  if (typeof value !== 'object' && typeof otherValue !== 'object')
    return compares(operator, value, otherValue) !== negated;
  const items: readonly Item[] = typeof value === 'object' ? value : [value];
  const otherItems: readonly Literal[] = typeof otherValue === 'object' ? otherValue : [otherValue];
  return items.some((item) => otherItems.some((otherItem) => compares(operator, item, otherItem))) !== negated;
}

function compares(operator: TestOperator, item: Item, literal: Literal): boolean {
  switch (operator) {
    case 'equals':
    case 'equalsField':
      return item === literal;
    case 'less':
    case 'lessField':
      return item < literal;
    case 'lessOrEqual':
    case 'lessOrEqualField':
      return item <= literal;
    case 'greater':
    case 'greaterField':
      return item > literal;
    case 'greaterOrEqual':
    case 'greaterOrEqualField':
      return item >= literal;
    case 'exists':
      return true;
    default:
      return comparesText(operator, String(item), String(literal));
  }
}

function comparesText(operator: TestOperator, text: string, literal: string): boolean {
  switch (operator) {
    case 'contains':
    case 'containsField':
      return text.includes(literal);
    case 'startswith':
    case 'startswithField':
      return text.startsWith(literal);
    case 'endswith':
    case 'endswithField':
      return text.endsWith(literal);
    case 'pathprefix':
    case 'pathprefixField':
      return text === literal || text.startsWith(literal.endsWith('/') ? literal : `${literal}/`);
    case 'glob':
      return compileGlob(literal)(text);
    case 'regex':
      return compileRegex(literal)(text);
    case 'cidr':
      return compileNetworks([parseNetwork(literal)!])(text);
    default:
      return false;
  }
}
