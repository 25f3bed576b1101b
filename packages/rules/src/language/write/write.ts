import type { Expression, Literal, Test, TestOperator } from '../../model/expression.ts';

/** Symbols and words of the native language; a negated word has "not" in front. */
const WORDS: Readonly<Record<TestOperator, string>> = {
  exists: 'exists',
  equals: 'in',
  less: '<',
  lessOrEqual: '<=',
  greater: '>',
  greaterOrEqual: '>=',
  contains: 'contains',
  startswith: 'startswith',
  endswith: 'endswith',
  glob: 'glob',
  pathprefix: 'pmatch',
  regex: 'regex',
  cidr: 'cidr',
  equalsField: '=',
  lessField: '<',
  lessOrEqualField: '<=',
  greaterField: '>',
  greaterOrEqualField: '>=',
  pathprefixField: 'pmatch',
  containsField: 'contains',
  startswithField: 'startswith',
  endswithField: 'endswith',
};

/** The language has no word for a condition that always or never holds. */
const ALWAYS = '(event.action exists or not event.action exists)';
const NEVER = '(event.action exists and not event.action exists)';

/**
 * Returns an expression in the native language: reading it again gives an equal one. Macros are written as their names.
 */
export function writeCondition<E>(expression: Expression<E>): string {
  switch (expression.kind) {
    case 'constant':
      return expression.value ? ALWAYS : NEVER;
    case 'named':
      return expression.local ? writeCondition(expression.item) : expression.name;
    case 'test':
      return writeTest(expression);
    case 'not':
      return `not ${writePart(expression.item)}`;
    default: {
      const { kind, items } = expression;
      if (items.length === 0) return kind === 'and' ? ALWAYS : NEVER;
      if (items.length === 1) return writeCondition(items[0]!);
      return items.map(writePart).join(` ${kind} `);
    }
  }
}

/** Puts an expression in parentheses if it binds less tightly than "not" or depends on precedence. */
function writePart<E>(expression: Expression<E>): string {
  if (expression.kind === 'named' && expression.local) return writePart(expression.item);
  const text = writeCondition(expression);
  return (expression.kind === 'and' || expression.kind === 'or') && expression.items.length > 1 ? `(${text})` : text;
}

function writeTest<E>({ operand, operator, negated, values, comparedWith }: Test<E>): string {
  const { key } = operand;
  if (operator === 'exists') return `${key} exists`;
  if (operator === 'equalsField') return `${key} ${negated ? '!=' : '='} val(${comparedWith?.key})`;
  if (comparedWith !== undefined) return `${key} ${negated ? 'not ' : ''}${WORDS[operator]} val(${comparedWith.key})`;
  const [only] = values;
  const single = values.length === 1 && only !== undefined;
  if (operator === 'equals' && single) {
    if (operand.type === 'bool' && only === true && !negated) return key;
    return `${key} ${negated ? '!=' : '='} ${writeValue(only, true)}`;
  }
  const word = `${negated ? 'not ' : ''}${WORDS[operator]}`;
  const right = single ? writeValue(only) : `(${values.map((value) => writeValue(value)).join(', ')})`;
  return `${key} ${word} ${right}`;
}

/** Returns a comparison with `written`. */
export function writeComparison<E>({ operand, operator, negated }: Test<E>, written: string): string {
  if (operator === 'equals') return `${operand.key} ${negated ? '!=' : '='} ${written}`;
  return `${operand.key} ${negated ? 'not ' : ''}${WORDS[operator]} ${written}`;
}

/** `alone`: behind `=`, where a word can't be the name of a list. */
function writeValue(value: Literal, alone = false): string {
  if (typeof value !== 'string') return String(value);
  // Names of lists have no slash and names of fields have a dot, so neither can be meant here.
  if (/^[\w.-]*\/[\w./-]*$/.test(value) || (alone && /^[\w-]+$/.test(value) && value !== 'val')) return value;
  return quoteValue(value);
}

/** In quotes a backslash is literal unless another backslash or a quote follows. */
export function quoteValue(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replace(/\\(?=[\\'"]|$)/g, '\\\\').replaceAll(quote, `\\${quote}`);
  return `${quote}${escaped}${quote}`;
}
