import { holds } from '../compile/evaluate.ts';
import type { FieldValue } from '../model/catalogue.ts';
import { type Expression, readOperand, type Test } from '../model/expression.ts';
import type { CompiledRule } from '../model/rule.ts';
import type { Sequence } from '../model/sequence.ts';
import { printable } from './output.ts';

/** One part of a condition and its result on an event. */
export interface Explanation {
  /** The part as text; for a macro its name; for `and`, `or`, `not` the word. */
  readonly text: string;
  readonly holds: boolean;
  /** The field's value as text, `<NA>` if absent; undefined: the part is not a comparison. */
  readonly actual: string | undefined;
  readonly parts: readonly Explanation[];
}

const SHOWN_VALUES = 8;
const SHOWN_TEXT = 256;
const WRITTEN: Readonly<Record<Test<unknown>['operator'], readonly [plain: string, negated: string]>> = {
  exists: ['exists', 'exists'],
  equals: ['=', '!='],
  less: ['<', 'not <'],
  lessOrEqual: ['<=', 'not <='],
  greater: ['>', 'not >'],
  greaterOrEqual: ['>=', 'not >='],
  contains: ['contains', 'not contains'],
  startswith: ['startswith', 'not startswith'],
  endswith: ['endswith', 'not endswith'],
  glob: ['glob', 'not glob'],
  pathprefix: ['pmatch', 'not pmatch'],
  regex: ['regex', 'not regex'],
  cidr: ['cidr', 'not cidr'],
  equalsField: ['=', '!='],
  lessField: ['<', 'not <'],
  lessOrEqualField: ['<=', 'not <='],
  greaterField: ['>', 'not >'],
  greaterOrEqualField: ['>=', 'not >='],
  pathprefixField: ['pmatch', 'not pmatch'],
  containsField: ['contains', 'not contains'],
  startswithField: ['startswith', 'not startswith'],
  endswithField: ['endswith', 'not endswith'],
};

/**
 * Explains why a rule's condition holds on an event or not: every part with its value, as written. It ignores the
 * rule's state, which `explainRun` explains.
 */
export function explain<E>(rule: CompiledRule<E>, event: E): Explanation {
  return rule.sequence === undefined ? explainExpression(rule.expression, event) : explainSteps(rule.sequence, event);
}

/** Explains which steps one event fits, without comparisons between events. */
function explainSteps<E>({ steps }: Sequence<E>, event: E): Explanation {
  let number = 0;
  const parts = steps.map(({ kind, expression }): Explanation => {
    const inner = explainExpression(expression, event);
    const text = kind === 'event' ? `step ${++number}` : kind;
    return { text, holds: inner.holds, actual: undefined, parts: [inner] };
  });
  return { text: 'sequence', holds: parts.some((part) => part.holds), actual: undefined, parts };
}

export function explainExpression<E>(expression: Expression<E>, event: E): Explanation {
  switch (expression.kind) {
    case 'constant':
      return { text: String(expression.value), holds: expression.value, actual: undefined, parts: [] };
    case 'test':
      return explainTest(expression, event);
    case 'named': {
      const inner = explainExpression(expression.item, event);
      return { text: expression.name, holds: inner.holds, actual: undefined, parts: [inner] };
    }
    case 'not': {
      const inner = explainExpression(expression.item, event);
      return { text: 'not', holds: !inner.holds, actual: undefined, parts: [inner] };
    }
    default: {
      const parts = expression.items.map((item) => explainExpression(item, event));
      const result = expression.kind === 'and' ? parts.every((part) => part.holds) : parts.some((part) => part.holds);
      return { text: expression.kind, holds: result, actual: undefined, parts };
    }
  }
}

/** Formats an explanation as indented lines, with ✓ and ✗ in front. */
export function renderExplanation(explanation: Explanation, indent = ''): string {
  const { text, actual, parts } = explanation;
  const value = actual === undefined ? '' : `   (${actual})`;
  const line = `${indent}${explanation.holds ? '✓' : '✗'} ${text}${value}`;
  return [line, ...parts.map((part) => renderExplanation(part, `${indent}  `))].join('\n');
}

function explainTest<E>(test: Test<E>, event: E): Explanation {
  const value = readOperand(test.operand, event);
  const otherValue = test.comparedWith === undefined ? undefined : readOperand(test.comparedWith, event);
  const actual =
    test.comparedWith === undefined ? shownValue(value) : `${shownValue(value)}, ${shownValue(otherValue)}`;
  return { text: writeTest(test), holds: holds(test, value, otherValue), actual, parts: [] };
}

/** Formats a comparison as rules write it, with a few of its values. */
export function writeTest<E>(test: Test<E>): string {
  const several = test.values.length > 1;
  const [plain, negated] = several && test.operator === 'equals' ? ['in', 'not in'] : WRITTEN[test.operator];
  const operator = test.negated ? negated : plain;
  const values = test.values
    .slice(0, SHOWN_VALUES)
    .map((value) => (typeof value === 'string' ? `'${printable(value)}'` : String(value)));
  if (test.values.length > SHOWN_VALUES) values.push(`… ${test.values.length - SHOWN_VALUES} more`);
  const right =
    test.comparedWith !== undefined
      ? `val(${test.comparedWith.key})`
      : several
        ? `(${values.join(', ')})`
        : values.join('');
  return [test.operand.key, operator, right].filter((part) => part !== '').join(' ');
}

/** Formats a value for explanations. */
export function shownValue(value: FieldValue): string {
  if (value === undefined) return '<NA>';
  const text = typeof value === 'object' ? `[${value.slice(0, SHOWN_VALUES).join(', ')}]` : String(value);
  return printable(text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text);
}
