import fc from 'fast-check';
import { resolveOperand } from '../../src/language/resolve/operand.ts';
import { parseOperand } from '../../src/language/syntax/parser.ts';
import { FieldIndex, onOwnKinds } from '../../src/model/catalogue.ts';
import type { Expression, Literal, Test, TestOperator } from '../../src/model/expression.ts';
import { catalogue, kinds, type TestEvent } from './events.ts';

const fields = new FieldIndex(onOwnKinds(catalogue, kinds));

/** Many of these letters have a meaning in the language. */
const word = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\\', "'", '"', ' ', '(', ',', '%', '.'), maxLength: 6 });
const path = fc
  .array(fc.constantFrom('a', 'etc'), { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`);
const known = fc.constantFrom('shells', 'val', 'process.name', 'and', 'true', '5');

const several = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.uniqueArray(value, { maxLength: 4 });

function tests(
  keys: readonly string[],
  operators: readonly TestOperator[],
  values: fc.Arbitrary<Literal[]>,
): fc.Arbitrary<Test<TestEvent>> {
  return fc
    .tuple(fc.constantFrom(...keys), fc.constantFrom(...operators), fc.boolean(), values)
    .map(([key, operator, negated, literals]) => ({
      kind: 'test',
      operand: resolveOperand(parseOperand(key), fields),
      operator,
      negated,
      values: literals,
    }));
}

const TEXTS = [
  'process.name',
  'process.args',
  'file.path',
  'tolower(process.name)',
  'proc.aname[1]',
  'container.label[a b]',
];

/** Any comparison of the language, as the parser returns it. */
const test: fc.Arbitrary<Expression<TestEvent>> = fc.oneof(
  tests(TEXTS, ['equals', 'contains', 'startswith', 'endswith'], several(fc.oneof(word, path, known))),
  tests(TEXTS, ['pathprefix'], several(path)),
  tests(TEXTS, ['glob'], several(fc.constantFrom('a?b', '[a-z]*x', "a*'b", 'a*b c'))),
  tests(TEXTS, ['regex'], fc.uniqueArray(fc.constantFrom('a+', '\\d+\\\\', '^[\'"](a|b)$'), { minLength: 1 })),
  tests(['user.id', 'len(process.name)'], ['equals'], several(fc.integer({ min: -9, max: 99 }))),
  tests(['user.id', 'len(process.args)'], ['less', 'lessOrEqual', 'greater', 'greaterOrEqual'], fc.tuple(fc.nat(9))),
  tests(['container.privileged'], ['equals'], fc.tuple(fc.boolean())),
  tests(['destination.ip'], ['equals'], fc.uniqueArray(fc.constantFrom('10.0.0.1', '::1'), { minLength: 1 })),
  tests(['destination.ip'], ['cidr'], several(fc.constantFrom('10.0.0.0/8', 'fe80::/10'))),
  fc.constantFrom(...TEXTS).map((key) => ({
    kind: 'test' as const,
    operand: resolveOperand(parseOperand(key), fields),
    operator: 'exists' as const,
    negated: false,
    values: [],
  })),
  tests(['process.name'], ['equalsField'], fc.constant([])).map((generated) => ({
    ...generated,
    comparedWith: resolveOperand(parseOperand('proc.aname[2]'), fields),
  })),
);

export const expression: fc.Arbitrary<Expression<TestEvent>> = fc.letrec<{ whole: Expression<TestEvent> }>((tie) => ({
  whole: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    test,
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('whole'), { minLength: 2, maxLength: 3 }))
      .map(([kind, items]) => ({ kind, items })),
    tie('whole').map((item) => ({ kind: 'not' as const, item })),
  ),
})).whole;

/** Few values, so that conditions often hold. */
export const event: fc.Arbitrary<TestEvent> = fc
  .record({
    kind: fc.constantFrom('exec', 'open', 'connect'),
    'process.name': fc.option(fc.oneof(word, path, known), { nil: undefined }),
    'process.args': fc.option(fc.array(fc.oneof(word, path), { maxLength: 2 }), { nil: undefined }),
    'file.path': fc.option(path, { nil: undefined }),
    'proc.aname[1]': fc.option(word, { nil: undefined }),
    'user.id': fc.option(fc.integer({ min: -9, max: 20 }), { nil: undefined }),
    'container.privileged': fc.option(fc.boolean(), { nil: undefined }),
    'destination.ip': fc.option(fc.constantFrom('10.0.0.1', '::1'), { nil: undefined }),
  })
  .map((fields) => fields as TestEvent);
