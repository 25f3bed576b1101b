/** A condition as written, with unresolved names. `at` is an offset in its text. */
export type Syntax =
  | { readonly kind: 'and' | 'or'; readonly items: readonly Syntax[]; readonly at: number }
  | { readonly kind: 'not'; readonly item: Syntax; readonly at: number }
  | { readonly kind: 'name'; readonly operand: OperandSyntax; readonly at: number }
  | TestSyntax;

export interface TestSyntax {
  readonly kind: 'test';
  readonly operand: OperandSyntax;
  readonly operator: Operator;
  /** `not` was between field and operator, or the operator is `!=`. */
  readonly negated: boolean;
  readonly values: readonly ValueSyntax[];
  /** The values were between brackets; a lone bare word after `in` must be the name of a list. */
  readonly bracketed: boolean;
  readonly at: number;
}

export interface OperandSyntax {
  readonly name: string;
  readonly argument: string | undefined;
  /** Outermost first: `tolower(basename(x))` is ['tolower', 'basename']. */
  readonly functions: readonly string[];
  /** The field is joined from these parts: `concat(a, '/', b)`, or `join('/', (a, b))`. */
  readonly joined?: { readonly parts: readonly (OperandSyntax | string)[]; readonly separator: string };
  readonly at: number;
}

export interface ValueSyntax {
  readonly text: string;
  /** A quoted value never names a list. */
  readonly quoted: boolean;
  /** `val(field)`, or a function of a field: the value of that field. */
  readonly field?: OperandSyntax;
  readonly at: number;
}

export const OPERATORS = [
  '=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'contains',
  'icontains',
  'bcontains',
  'startswith',
  'bstartswith',
  'endswith',
  'glob',
  'iglob',
  'pmatch',
  'regex',
  'cidr',
  'intersects',
  'exists',
] as const;

export type Operator = (typeof OPERATORS)[number];

/** Spellings of other languages for operators of this one. */
export const OPERATOR_SPELLINGS: Readonly<Record<string, string>> = {
  '==': '=',
  '!=': '!=',
  matches: 'regex',
  '=~': 'regex',
  like: 'glob',
  has: 'contains',
  starts_with: 'startswith',
  ends_with: 'endswith',
  is: '=',
  eq: '=',
  ne: '!=',
  lt: '<',
  gt: '>',
  le: '<=',
  ge: '>=',
};
