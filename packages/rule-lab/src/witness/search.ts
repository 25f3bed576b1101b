import type { FieldValue } from '@ringfence/fields';
import { type Formula, holds, type Operand } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { clashOf, written } from './clash.ts';
import { type Constraint, isPositive, literals } from './constraint.ts';
import { draft, type Tries } from './draft.ts';
import { type Entries, groupOf } from './groups.ts';
import type { Player, Values } from './player.ts';

type Condition = Formula<EventView>;
type Junction = Extract<Condition, { readonly items: unknown }>;

/** Events of which the last satisfies a condition, and the values that it had. */
export interface Found {
  readonly events: readonly Entries[];
  readonly values: Values;
}

/** No events were found. `isProof`: there are none, for this reason. */
export interface Missed {
  readonly isProof: boolean;
  readonly why: string;
}

export interface Asked {
  readonly condition: Condition;
  readonly kind: string;
  /** Further constraints: values that join the event to others. */
  readonly joined: readonly Constraint[];
  /** Events before. */
  readonly before: readonly Entries[];
  /** Operands whose values the caller needs. */
  readonly operands: readonly Operand<EventView>[];
  /** Entries that the event has unless a constraint says otherwise. @default none */
  readonly usual?: Entries;
}

/** Values of one group that are tried. */
const TRIED = 12;

/** Junctions in which an alternative is chosen, one below the other. */
const DEPTH = 24;

/**
 * Looks for an event that satisfies a condition: it plays a draft, reads what the real event has, adds the comparisons
 * that fail as constraints, and tries the alternatives of a junction only where none holds by itself.
 */
export class Search {
  readonly #player: Player;
  readonly #asked: Asked;
  readonly #operands: readonly Operand<EventView>[];
  /** Constraints that hold only for values that were chosen. */
  readonly #derived: Set<Constraint>;

  constructor(player: Player, asked: Asked) {
    this.#player = player;
    // Most fields that only have to be there are there: nothing is demanded unless one is not.
    const there = asked.joined.filter(({ test }) => test.operator === 'exists');
    const joined = asked.joined.filter(({ test }) => test.operator !== 'exists');
    this.#asked = { ...asked, joined, condition: { kind: 'and', items: [asked.condition, ...there] } };
    this.#derived = new Set(joined);
    const all = [...operandsOf(asked.condition), ...asked.joined.map(({ test }) => test.operand), ...asked.operands];
    this.#operands = [...new Map(all.map((operand) => [operand.key, operand])).values()];
  }

  run(): Found | Missed {
    return this.#solve(this.#asked.joined, new Map(), new Map(), 0);
  }

  #solve(
    constraints: readonly Constraint[],
    chosen: ReadonlyMap<Condition, Condition>,
    before: Tries,
    depth: number,
  ): Found | Missed {
    const { condition, kind } = this.#asked;
    let must = withMandatory(constraints, condition, chosen);
    const tries = new Map(before);
    for (;;) {
      const clash = clashOf(must, kind);
      if (clash !== undefined) {
        // A value that was chosen proves nothing: another might do.
        const proof = clashOf(
          must.filter((one) => !this.#derived.has(one)),
          kind,
        );
        return { isProof: proof !== undefined, why: proof ?? clash };
      }
      const made = this.#draft(must, tries);
      if ('stuck' in made) return missed(`no value was found for ${made.stuck.constraints.map(written).join(' and ')}`);
      if (this.#player.left <= 0) return missed('the search was too long');
      const events = [...this.#asked.before, ...made];
      const values = this.#player.values(events, this.#operands);
      const failing =
        values === undefined ? { literals: must.slice(-1), junctions: [] } : this.#failing(must, values, chosen);
      if (values !== undefined && failing.literals.length === 0 && failing.junctions.length === 0)
        return { events, values };
      const fresh = failing.literals.flatMap((literal) => this.#fresh(literal, must, values));
      if (fresh.length > 0) {
        must = [...must, ...fresh];
        continue;
      }
      const known = failing.literals[0];
      if (known === undefined) return this.#choose(failing.junctions[0]!, must, chosen, tries, depth);
      const name = groupOf(known);
      tries.set(name, (tries.get(name) ?? 0) + 1);
      if ((tries.get(name) ?? 0) > TRIED) return missed(`no event was found with ${written(known)}`);
    }
  }

  /** Returns the constraints to add because a comparison failed. */
  #fresh(literal: Constraint, must: readonly Constraint[], values: Values | undefined): Constraint[] {
    if (literal.test.comparedWith === undefined) return must.includes(literal) ? [] : [literal];
    const added = ofComparison(literal, must, values);
    const fresh = added.filter((one) => !must.some((other) => written(other) === written(one)));
    for (const one of fresh) this.#derived.add(one);
    return fresh;
  }

  #draft(must: readonly Constraint[], tries: Tries): ReturnType<typeof draft> {
    const { kind, usual = {} } = this.#asked;
    return draft(must, { kind, tries, pids: this.#player.pids, usual });
  }

  #choose(
    junction: Junction,
    must: readonly Constraint[],
    chosen: ReadonlyMap<Condition, Condition>,
    tries: Tries,
    depth: number,
  ): Found | Missed {
    if (depth >= DEPTH) return missed('its alternatives are nested too deeply');
    const failures: Missed[] = [];
    for (const item of [...junction.items].sort((a, b) => costOf(a) - costOf(b))) {
      const result = this.#solve(must, new Map([...chosen, [junction, item]]), tries, depth + 1);
      if ('events' in result) return result;
      failures.push(result);
      if (this.#player.left <= 0) break;
    }
    const unproved = failures.find(({ isProof }) => !isProof);
    if (unproved !== undefined) return unproved;
    return { isProof: true, why: [...new Set(failures.map(({ why }) => why))].slice(0, 3).join('; ') };
  }

  #failing(must: readonly Constraint[], values: Values, chosen: ReadonlyMap<Condition, Condition>): Failing {
    const failing: Failing = { literals: [], junctions: [] };
    for (const constraint of must) if (!passes(constraint, values)) failing.literals.push(constraint);
    collect(this.#asked.condition, values, chosen, failing);
    const comparable = failing.literals.filter((literal, i, all) => all.indexOf(literal) === i);
    return { ...failing, literals: comparable };
  }
}

/** A comparison with another field becomes one with the value that the field had, or that the other one must have. */
function ofComparison(
  { test, holds: wanted }: Constraint,
  must: readonly Constraint[],
  values: Values = NO_VALUES,
): Constraint[] {
  const { comparedWith: other, ...plain } = test;
  if (other === undefined) return [];
  const [value, otherValue] = [values.get(test.operand.key), values.get(other.key)];
  const isDemanded = wanted && !test.negated;
  const literal = (operand: Operand<EventView>, operator: typeof test.operator, value: FieldValue): Constraint => {
    return { kind: 'literal', holds: wanted, test: { ...plain, operand, operator, values: literals(value) } };
  };
  if (otherValue === undefined) return isDemanded ? [literal(other, 'exists', undefined)] : [];
  const isBound = must.some((one) => one.test.operand.key === test.operand.key && one.test.comparedWith === undefined);
  const isEquality = test.operator === 'equalsField' && isDemanded;
  if (isEquality && isBound && value !== undefined) return [literal(other, 'equals', value)];
  return [literal(test.operand, test.operator.replace(/Field$/, '') as typeof test.operator, otherValue)];
}

const NO_VALUES: Values = new Map();

interface Failing {
  readonly literals: Constraint[];
  readonly junctions: Junction[];
}

const missed = (why: string): Missed => ({ isProof: false, why });

function passes({ test, holds: wanted }: Constraint, values: Values): boolean {
  const other = test.comparedWith === undefined ? undefined : values.get(test.comparedWith.key);
  return holds(test, values.get(test.operand.key), other) === wanted;
}

function isTrue(condition: Condition, values: Values): boolean {
  if (condition.kind === 'constant') return condition.value;
  if (condition.kind === 'literal') return passes(condition, values);
  return condition.kind === 'and'
    ? condition.items.every((item) => isTrue(item, values))
    : condition.items.some((item) => isTrue(item, values));
}

/** Collects the comparisons that must hold and don't, and the junctions of which no alternative holds. */
function collect(
  condition: Condition,
  values: Values,
  chosen: ReadonlyMap<Condition, Condition>,
  failing: Failing,
): void {
  if (condition.kind === 'literal') {
    if (!passes(condition, values)) failing.literals.push(condition);
  } else if (condition.kind === 'and') {
    for (const item of condition.items) collect(item, values, chosen, failing);
  } else if (condition.kind === 'or' && !isTrue(condition, values)) {
    const choice = chosen.get(condition);
    if (choice === undefined) failing.junctions.push(condition);
    else collect(choice, values, chosen, failing);
  }
}

/** Adds the comparisons that hold in any case, and those of the chosen alternatives. */
function withMandatory(
  constraints: readonly Constraint[],
  condition: Condition,
  chosen: ReadonlyMap<Condition, Condition>,
): readonly Constraint[] {
  return [...new Set([...constraints, ...mandatory(condition, chosen)])];
}

/** Yields the comparisons that hold whenever the condition does, without those that ask whether a field is there. */
export function* mandatory(
  condition: Condition,
  chosen: ReadonlyMap<Condition, Condition> = NO_CHOICE,
): Generator<Constraint> {
  if (condition.kind === 'literal') {
    const { test } = condition;
    if (test.operator !== 'exists' && (test.comparedWith === undefined || isPositive(condition))) yield condition;
  } else if (condition.kind === 'and') for (const item of condition.items) yield* mandatory(item, chosen);
  else if (condition.kind === 'or') {
    const choice = chosen.get(condition);
    if (choice !== undefined) yield* mandatory(choice, chosen);
  }
}

const NO_CHOICE: ReadonlyMap<Condition, Condition> = new Map();

function* operandsOf(condition: Condition): Generator<Operand<EventView>> {
  if (condition.kind === 'literal') {
    yield condition.test.operand;
    if (condition.test.comparedWith !== undefined) yield condition.test.comparedWith;
  } else if (condition.kind !== 'constant') for (const item of condition.items) yield* operandsOf(item);
}

/** Alternatives that only leave something out are cheaper than those that demand values. */
function costOf(condition: Condition): number {
  if (condition.kind === 'constant') return condition.value ? 0 : 1_000;
  if (condition.kind === 'literal')
    return /falco\.fd\.|^concat|hash/.test(condition.test.operand.key) ? 8 : condition.holds ? 1 : 2;
  const costs = condition.items.map(costOf);
  return condition.kind === 'and' ? costs.reduce((sum, cost) => sum + cost, 0) : Math.min(...costs);
}
