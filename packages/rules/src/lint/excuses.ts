import type { Formula, TestLiteral } from '../compile/nodes/formula.ts';
import { Formulas } from '../compile/nodes/formula.ts';
import { writeTest } from '../explain/explain.ts';
import type { CompiledRule } from '../model/rule.ts';
import { installedBy, isChosen, pathOf } from './chosen-fields.ts';

/** A part of a condition with which an attacker keeps the rule quiet. */
interface Excuse {
  /** The comparison, without its negation. */
  readonly text: string;
  readonly field: string;
}

const NOTHING: ReadonlySet<string> = new Set();

/** Finds the excuses in rules: negated comparisons that an attacker can make hold. */
export class Excuses<E> {
  readonly #formulas = new Formulas<E>();

  of({ sequence, expression }: CompiledRule<E>): readonly Excuse[] {
    const conditions = sequence?.steps.filter(({ kind }) => kind === 'event').map((step) => step.expression);
    const found = (conditions ?? [expression]).flatMap((condition) =>
      excusesIn(this.#formulas.whole(condition), NOTHING),
    );
    return [...new Map(found.map((excuse) => [excuse.text, excuse])).values()];
  }
}

/** @param installed fields with paths of programs that only root installs, because the condition demands it */
function excusesIn<E>(condition: Formula<E>, installed: ReadonlySet<string>): Excuse[] {
  if (condition.kind === 'constant') return [];
  if (condition.kind === 'literal') return isExcuse(condition, installed) ? [excuseOf(condition)] : [];
  if (condition.kind === 'and') {
    const more = new Set([...installed, ...demandedIn(condition.items)]);
    return condition.items.flatMap((item) => excusesIn(item, more));
  }
  // Each way to match has its own excuses; where every part is one, the attacker needs all of them.
  const [ways, others] = [condition.items.filter(isWayToMatch), condition.items.filter((item) => !isWayToMatch(item))];
  if (!others.every((item) => isAvoidable(item, installed))) return [];
  if (ways.length > 0) return ways.flatMap((item) => excusesIn(item, installed));
  return [excuseOf(firstIn(condition, installed)!)];
}

function demandedIn<E>(items: readonly Formula<E>[]): string[] {
  const fields = items.map((item) => (item.kind === 'literal' && item.holds ? installedBy(item.test) : undefined));
  return fields.filter((field) => field !== undefined);
}

/** A part that asks for something, rather than only excluding. */
function isWayToMatch<E>(condition: Formula<E>): boolean {
  if (condition.kind === 'literal') return !isNegative(condition);
  if (condition.kind === 'constant') return false;
  return condition.kind === 'and' ? condition.items.some(isWayToMatch) : condition.items.every(isWayToMatch);
}

function isAvoidable<E>(condition: Formula<E>, installed: ReadonlySet<string>): boolean {
  if (condition.kind === 'constant') return !condition.value;
  if (condition.kind === 'literal') return isExcuse(condition, installed);
  const avoidable = (item: Formula<E>): boolean => isAvoidable(item, installed);
  return condition.kind === 'and' ? condition.items.some(avoidable) : condition.items.every(avoidable);
}

const isNegative = <E>({ test, holds }: TestLiteral<E>): boolean => holds === test.negated;
const isExcuse = <E>(literal: TestLiteral<E>, installed: ReadonlySet<string>): boolean =>
  isNegative(literal) && isChosen(literal.test) && !installed.has(pathOf(literal.test) ?? '');

function firstIn<E>(condition: Formula<E>, installed: ReadonlySet<string>): TestLiteral<E> | undefined {
  if (condition.kind === 'constant') return undefined;
  if (condition.kind === 'literal') return isExcuse(condition, installed) ? condition : undefined;
  for (const item of condition.items) {
    const found = firstIn(item, installed);
    if (found !== undefined) return found;
  }
  return undefined;
}

const excuseOf = <E>({ test }: TestLiteral<E>): Excuse => ({
  text: writeTest({ ...test, negated: false }),
  field: test.operand.field.name,
});
