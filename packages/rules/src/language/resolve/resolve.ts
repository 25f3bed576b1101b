import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { FieldLookup, FieldSpec } from '../../model/catalogue.ts';
import type { Expression, Operand } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import { resolveFalcoTest } from '../falco/test.ts';
import type { OperandSyntax, Syntax, TestSyntax } from '../syntax/syntax.ts';
import { overAny } from './any-of.ts';
import type { Names } from './names.ts';
import { resolveOperand } from './operand.ts';
import { resolveFieldTest, resolveTest, spelled, type Value } from './test.ts';

/** Takes the errors and warnings of a condition. */
export type Report = (severity: 'error' | 'warning', fault: Fault) => void;

/** The warning for a field that no event has. */
export function neverAvailable<E>({ name, never }: FieldSpec<E>, at: number): Fault {
  const called = name.replace(/^falco\./, '');
  return new Fault('never-available', at, `'${called}' is never available: ${never}`);
}

/** Warns about the first value that a function rules out: `tolower(process.name) = Bash`. */
function warnOfCase<E>(
  { key, transforms }: Operand<E>,
  { operator }: TestSyntax,
  values: readonly Value[],
  report: Report,
): void {
  const last = transforms.at(-1);
  if ((last !== 'lower' && last !== 'upper') || !AS_WRITTEN.has(operator)) return;
  const folded = (text: string): string => (last === 'lower' ? text.toLowerCase() : text.toUpperCase());
  const odd = values.find(({ text }) => folded(text) !== text);
  if (odd === undefined) return;
  const message = `'${key}' has no ${last === 'lower' ? 'capital' : 'small'} letters, and '${odd.text}' has`;
  report('warning', new Fault('unknown-value', odd.at, message, `Write '${folded(odd.text)}'.`));
}

/** Operators that do not fold the case of their values themselves. */
const AS_WRITTEN: ReadonlySet<string> = new Set([
  '=',
  'in',
  'intersects',
  'contains',
  'startswith',
  'endswith',
  'glob',
]);
/** Values that a hint lists. */
const FEW = 12;
const NEVER = { kind: 'constant', value: false } as const;

/** The size of an expression with its macros expanded: both numbers bound later walks. */
interface Extent {
  readonly nodes: number;
  readonly height: number;
}

/** Resolves the names of a condition. An error is reported and counts as false, so that one pass finds all errors. */
export class Resolver<E> {
  readonly #fields: FieldLookup<E>;
  readonly #names: Names<E>;
  readonly #falco: boolean;
  readonly #extents = new WeakMap<Expression<E>, Extent>();

  constructor(fields: FieldLookup<E>, names: Names<E>, falco = false) {
    this.#fields = fields;
    this.#names = names;
    this.#falco = falco;
  }

  resolve(syntax: Syntax, report: Report): Expression<E> {
    try {
      const expression = this.#resolve(syntax, report);
      this.#measured(expression, syntax.at);
      return expression;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report('error', error);
      return NEVER;
    }
  }

  #resolve(syntax: Syntax, report: Report): Expression<E> {
    switch (syntax.kind) {
      case 'not':
        return this.#measured({ kind: 'not', item: this.#resolve(syntax.item, report) }, syntax.at);
      case 'and':
      case 'or':
        return this.#measured(
          { kind: syntax.kind, items: syntax.items.map((item) => this.#resolve(item, report)) },
          syntax.at,
        );
      default:
        return this.#reported(report, () =>
          syntax.kind === 'name' ? this.#name(syntax.operand) : this.#test(syntax, report),
        );
    }
  }

  #reported(report: Report, resolve: () => Expression<E>): Expression<E> {
    try {
      return resolve();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report('error', error);
      return NEVER;
    }
  }

  /** Resolves a word alone: a macro, or a field that is true or false. */
  #name(syntax: OperandSyntax): Expression<E> {
    const { name, at } = syntax;
    const isWord = syntax.argument === undefined && syntax.functions.length === 0;
    if (isWord && this.#names.hasMacro(name)) return { kind: 'named', name, item: this.#names.macro(name, at) };
    if (isWord && this.#fields.find(name) === undefined) throw this.#unknownWord(name, at);
    const operand = resolveOperand(syntax, this.#fields);
    if (operand.type === 'bool') return { kind: 'test', operand, operator: 'equals', negated: false, values: [true] };
    throw new Fault(
      'syntax',
      at,
      `'${operand.key}' has no value to compare with`,
      `Write '${operand.key} exists', or compare it with a value.`,
    );
  }

  #unknownWord(name: string, at: number): Fault {
    if (this.#names.hasList(name))
      return new Fault('unknown-macro', at, `'${name}' is a list, not a macro`, `Write 'field in (${name})'.`);
    if (!name.includes('.')) {
      const otherwise = 'Define it with "- macro:", or compare a field.';
      const hint = (): string => didYouMean(name, this.#names.macroNames(), otherwise);
      return new Fault('unknown-macro', at, `unknown macro '${name}'`, hint);
    }
    const hint = (): string => didYouMean(name, [...this.#names.macroNames(), ...this.#fields.names()]);
    return new Fault('unknown-field', at, `unknown field '${name}'`, hint);
  }

  #test(syntax: TestSyntax, report: Report): Expression<E> {
    const operand = resolveOperand(syntax.operand, this.#fields);
    if (operand.field.never !== undefined) {
      report('warning', neverAvailable(operand.field, syntax.at));
      return NEVER;
    }
    const field = syntax.values.find((value) => value.field !== undefined);
    if (field !== undefined)
      return overAny(syntax, operand, this.#fields, (alternative, as) =>
        resolveFieldTest(as, alternative, field, this.#fields),
      );
    const values = spelled(operand, syntax, this.#values(syntax, report));
    const why = values.length > 0 ? this.#neverAny(operand.field, syntax, values) : undefined;
    if (why !== undefined) {
      report('warning', new Fault('never-available', syntax.values[0]?.at ?? syntax.at, why));
      return NEVER;
    }
    if (!this.#falco) this.#warnOfStrangers(operand, syntax, values, report);
    warnOfCase(operand, syntax, values, report);
    return overAny(syntax, operand, this.#fields, (alternative, as) =>
      this.#falco ? resolveFalcoTest(as, alternative, values, this.#fields) : resolveTest(as, alternative, values),
    );
  }

  /** Warns about values that the field never has, because its values are a known few. */
  #warnOfStrangers(
    { field, transforms }: Operand<E>,
    syntax: TestSyntax,
    values: readonly Value[],
    report: Report,
  ): void {
    const { oneOf, name, elsewhere = {} } = field;
    if (oneOf === undefined || transforms.length > 0 || !['=', 'in', 'intersects'].includes(syntax.operator)) return;
    for (const { text, at } of values) {
      if (oneOf.includes(text)) continue;
      const few =
        oneOf.length <= FEW
          ? `It is one of ${oneOf.join(', ')}.`
          : `'ringfence rules fields ${name}' lists its values.`;
      const hint = Object.hasOwn(elsewhere, text) ? elsewhere[text]! : didYouMean(text, oneOf, few);
      report('warning', new Fault('unknown-value', at, `'${name}' is never '${text}'`, hint));
    }
  }

  /** Returns the reason why the field can have none of these values; undefined if it can have one of them. */
  #neverAny({ name, neverIs }: FieldSpec<E>, syntax: TestSyntax, values: readonly Value[]): string | undefined {
    if (neverIs === undefined || syntax.negated || !['=', 'in', 'intersects'].includes(syntax.operator))
      return undefined;
    const reasons = values.map(({ text }) => neverIs(text));
    if (!reasons.every((reason) => reason !== undefined)) return undefined;
    return `${name} is never ${values.map(({ text }) => `'${text}'`).join(', ')}: ${reasons[0]}`;
  }

  #values(syntax: TestSyntax, report: Report): readonly Value[] {
    const [only] = syntax.values;
    if (!syntax.bracketed && only !== undefined && !only.quoted) {
      if (syntax.operator === 'in' || syntax.operator === 'intersects') return this.#names.list(only.text, only.at);
      if (syntax.operator === '=') {
        this.#warnOfNames(only.text, only.at, report);
        return [only];
      }
    }
    const values: Value[] = [];
    for (const value of syntax.values) {
      if (value.quoted || !this.#names.hasList(value.text)) values.push(value);
      else for (const item of this.#names.list(value.text, value.at)) values.push(item);
    }
    if (values.length <= LIMITS.listEntries) return values;
    throw new Fault(
      'too-long',
      syntax.at,
      `${values.length} values to compare with; ${LIMITS.listEntries} are allowed`,
    );
  }

  #warnOfNames(word: string, at: number, report: Report): void {
    const field = this.#fields.find(word);
    const as = `compared as the text "${word}"`;
    if (this.#names.hasList(word))
      report('warning', new Fault('list-as-text', at, `'${word}' is a list, but is ${as}`, `Write in (${word}).`));
    else if (field !== undefined && field.never === undefined)
      report('warning', new Fault('field-as-text', at, `'${word}' is a field, but is ${as}`, `Write val(${word}).`));
  }

  #measured(expression: Expression<E>, at: number): Expression<E> {
    const { nodes, height } = this.#extent(expression);
    if (nodes > LIMITS.nodes) {
      throw new Fault(
        'too-large',
        at,
        `the condition has more than ${LIMITS.nodes} comparisons with its macros expanded`,
        'Split the rule.',
      );
    }
    if (height > LIMITS.height)
      throw new Fault(
        'too-deep',
        at,
        `more than ${LIMITS.height} nested levels with macros expanded`,
        'Flatten the macros.',
      );
    return expression;
  }

  #extent(expression: Expression<E>): Extent {
    const known = this.#extents.get(expression);
    if (known !== undefined) return known;
    const items = 'items' in expression ? expression.items : 'item' in expression ? [expression.item] : [];
    let nodes = 1;
    let height = 0;
    for (const item of items) {
      const inner = this.#extent(item);
      nodes += inner.nodes;
      height = Math.max(height, inner.height);
    }
    const extent = { nodes, height: height + 1 };
    this.#extents.set(expression, extent);
    return extent;
  }
}
