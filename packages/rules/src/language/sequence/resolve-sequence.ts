import { Fault } from '../../diagnostics/errors.ts';
import type { FieldIndex, FieldType } from '../../model/catalogue.ts';
import type { Expression, Operand, Test, TestOperator } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import type { Comparison, Kept, Sequence, SequenceStep } from '../../model/sequence.ts';
import { resolveOperand } from '../resolve/operand.ts';
import type { Report, Resolver } from '../resolve/resolve.ts';
import { parseOperand } from '../syntax/parser.ts';
import type { OperandSyntax, Operator, Syntax, TestSyntax } from '../syntax/syntax.ts';
import type { SequenceSyntax, StepSyntax } from './sequence.ts';

const CAPTURED = /^\$([a-z_]\w*)\.(.+)$/i;
const ALWAYS = { kind: 'constant', value: true } as const;

const COMPARISONS: Partial<
  Record<Operator, { readonly operator: TestOperator; readonly of: 'any' | 'number' | 'text' }>
> = {
  '=': { operator: 'equals', of: 'any' },
  '<': { operator: 'less', of: 'number' },
  '<=': { operator: 'lessOrEqual', of: 'number' },
  '>': { operator: 'greater', of: 'number' },
  '>=': { operator: 'greaterOrEqual', of: 'number' },
  contains: { operator: 'contains', of: 'text' },
  startswith: { operator: 'startswith', of: 'text' },
  endswith: { operator: 'endswith', of: 'text' },
  pmatch: { operator: 'pathprefix', of: 'text' },
};

/** A step that later steps can name. */
interface Captured {
  readonly step: number;
  readonly stage: number;
}

/** The names of steps that an output can use. */
export interface StepNames<E> {
  /** Returns the index of the step that `1` or `$a` names; undefined: none. */
  stepOf(name: string): number | undefined;
  readonly kept: Kept<E>[];
}

/** Resolves the names of a sequence, and reports errors. */
export class SequenceResolver<E> implements StepNames<E> {
  readonly #fields: FieldIndex<E>;
  readonly #resolver: Resolver<E>;
  readonly #report: Report;
  /** Grows while an output that names steps is read. */
  readonly kept: Kept<E>[] = [];
  readonly #captured = new Map<string, Captured>();
  /** Indexes of the steps that must happen. */
  readonly #events: number[] = [];

  constructor(fields: FieldIndex<E>, resolver: Resolver<E>, report: Report) {
    this.#fields = fields;
    this.#resolver = resolver;
    this.#report = report;
  }

  resolve(syntax: SequenceSyntax): Sequence<E> {
    checkSteps(syntax);
    const common = syntax.by.map((operand) => this.#operand(operand));
    const steps = syntax.steps.map((step, index): SequenceStep<E> => {
      const resolved = this.#step(step, index, common);
      if (step.kind === 'event') {
        if (step.name !== '') this.#capture(step, { step: index, stage: this.#events.length });
        this.#events.push(index);
      }
      return resolved;
    });
    checkKeys(syntax, steps);
    const { ordered, maxspanUs } = syntax;
    return {
      ordered,
      maxspanUs,
      steps,
      kept: this.kept,
      id: this.#optional('event.id'),
      weight: this.#optional('event.count'),
    };
  }

  stepOf(name: string): number | undefined {
    return name.startsWith('$') ? this.#captured.get(name.slice(1))?.step : this.#events[Number(name) - 1];
  }

  #optional(name: string): Operand<E> | undefined {
    if (this.#fields.find(name) === undefined) return undefined;
    return resolveOperand({ name, argument: undefined, functions: [], at: 0 }, this.#fields);
  }

  #operand(syntax: OperandSyntax): Operand<E> {
    return resolveOperand(syntax, this.#fields);
  }

  #step(syntax: StepSyntax, index: number, common: readonly Operand<E>[]): SequenceStep<E> {
    const { kind, runs, condition } = syntax;
    const parts = condition.kind === 'and' ? condition.items : [condition];
    const plain = parts.filter((part) => !comparesWithStep(part));
    for (const part of plain) this.#refuseNested(part);
    const compares = parts.filter(comparesWithStep).flatMap((part) => this.#comparison(part, index));
    const items: Expression<E>[] = plain.map((part) => this.#resolver.resolve(part, this.#report));
    for (const { test } of compares)
      items.push({ kind: 'test', operand: test.operand, operator: 'exists', negated: false, values: [] });
    const expression = items.length === 0 ? ALWAYS : items.length === 1 ? items[0]! : { kind: 'and' as const, items };
    const by = [...common, ...syntax.by.map((operand) => this.#operand(operand))];
    return { kind, expression, by, runs, compares };
  }

  #comparison(syntax: TestSyntax, step: number): Comparison<E>[] {
    const [value] = syntax.values;
    const [, name = '', field = ''] = CAPTURED.exec(value!.text) ?? [];
    try {
      const captured = this.#captured.get(name);
      if (captured === undefined) {
        const known = [...this.#captured.keys()].map((name) => `$${name}`).join(', ');
        const hint =
          known === '' ? `Name an earlier step: [ … ] as $${name}.` : `Earlier steps have the names ${known}.`;
        throw new Fault('unknown-capture', value!.at, `no step before this one is called '$${name}'`, hint);
      }
      const operand = this.#operand(syntax.operand);
      const earlier = resolveOperand({ ...parseOperand(field), at: value!.at }, this.#fields);
      const test = comparisonOf(syntax, operand, earlier);
      const tested = keep(this.kept, step, operand);
      return [{ test, tested, earlier: keep(this.kept, captured.step, earlier), stage: captured.stage }];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#report('error', error.movedTo(Math.max(error.at, syntax.at)));
      return [];
    }
  }

  #capture(step: StepSyntax, captured: Captured): void {
    if (this.#captured.has(step.name))
      throw new Fault('duplicate', step.at, `there is already a step '$${step.name}'`, 'Choose another name.');
    this.#captured.set(step.name, captured);
  }

  /**
   * Refuses a comparison that is nested in the condition: its result depends on two events, so it can't be cached for
   * one.
   */
  #refuseNested(syntax: Syntax): void {
    if (syntax.kind === 'not') this.#refuseDeep(syntax.item);
    else if (syntax.kind === 'and' || syntax.kind === 'or') for (const item of syntax.items) this.#refuseDeep(item);
  }

  #refuseDeep(syntax: Syntax): void {
    if (!comparesWithStep(syntax)) {
      this.#refuseNested(syntax);
      return;
    }
    const hint = "Join it with 'and' to the rest of the step; its opposite is '!=', or 'not' before the operator.";
    this.#report(
      'error',
      new Fault('capture', syntax.at, "a comparison with another step can't be inside 'or' or 'not'", hint),
    );
  }
}

/** @throws Fault at a meaningless combination of steps */
function checkSteps({ ordered, steps }: SequenceSyntax): void {
  const events = steps.filter(({ kind }) => kind === 'event');
  const [first] = steps;
  if (first === undefined || events[0] === undefined)
    throw new Fault('sequence', first?.at ?? 0, 'a sequence needs a step that must happen', 'Add [ … ].');
  if (steps.filter(({ kind }) => kind !== 'until').length === 1 && events[0].runs === 1) {
    const hint = 'Write the condition alone, or add a step.';
    throw new Fault('sequence', first.at, 'a sequence of one step is a plain condition', hint);
  }
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const wrong = wrongWithStep(step, isLast) ?? (ordered ? undefined : wrongWithoutOrder(step));
    if (wrong !== undefined) throw new Fault('sequence', step.at, wrong);
  }
}

function wrongWithStep({ kind, runs, name }: StepSyntax, isLast: boolean): string | undefined {
  if (kind === 'until' && !isLast) return "'until' comes last";
  if (kind !== 'event' && runs !== 1) return "'with runs' is for steps that must happen";
  if (kind !== 'event' && name !== '') return 'only a step that must happen can have a name';
  return undefined;
}

function wrongWithoutOrder({ kind, name }: StepSyntax): string | undefined {
  if (kind === 'missing') return "with 'any order' no event can be excluded between two steps";
  if (name !== '') return "with 'any order' no step is known to come before another: join them with 'by'";
  return undefined;
}

function checkKeys<E>({ steps }: SequenceSyntax, resolved: readonly SequenceStep<E>[]): void {
  const expected = resolved[0]!.by.length;
  for (const [index, { by }] of resolved.entries()) {
    if (by.length === expected) continue;
    throw new Fault(
      'sequence',
      steps[index]!.at,
      `this step is joined by ${by.length} fields, the first one by ${expected}`,
      "Give each step as many fields in its 'by', in the same order.",
    );
  }
}

/** Returns the index of a step's value in `kept`, and adds it if it is missing. @throws Fault if there are too many */
export function keep<E>(kept: Kept<E>[], step: number, operand: Operand<E>): number {
  const known = kept.findIndex((entry) => entry.step === step && entry.operand.key === operand.key);
  if (known !== -1) return known;
  if (kept.length >= LIMITS.keptValues)
    throw new Fault(
      'too-long',
      0,
      `more than ${LIMITS.keptValues} values of steps are compared or shown`,
      'Show fewer.',
    );
  return kept.push({ step, operand }) - 1;
}

function comparesWithStep(syntax: Syntax): syntax is TestSyntax {
  return syntax.kind === 'test' && syntax.values.some(({ text, quoted }) => !quoted && CAPTURED.test(text));
}

/** Resolves a comparison with the value of another step. @throws Fault */
function comparisonOf<E>(syntax: TestSyntax, operand: Operand<E>, earlier: Operand<E>): Test<E> {
  const comparison = COMPARISONS[syntax.operator];
  if (comparison === undefined || syntax.values.length !== 1) {
    const hint = `Operators: ${Object.keys(COMPARISONS).join(' ')}, with one value.`;
    throw new Fault('operator', syntax.at, `'${syntax.operator}' can't compare with another step`, hint);
  }
  const kindOf = (type: FieldType): string =>
    type === 'ip' || type === 'strings' || type === 'string' ? 'text' : type;
  const [left, right] = [kindOf(operand.type), kindOf(earlier.type)];
  if (left !== right || (comparison.of !== 'any' && comparison.of !== left))
    throw new Fault(
      'wrong-type',
      syntax.at,
      `'${operand.key}' is ${left}, '${earlier.key}' of the other step is ${right}: they can't be compared by '${syntax.operator}'`,
    );
  return { kind: 'test', operand, operator: comparison.operator, negated: syntax.negated, values: [] };
}
