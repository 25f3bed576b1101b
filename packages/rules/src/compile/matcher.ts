import type { EventKinds } from '../model/catalogue.ts';
import type { CompiledRule } from '../model/rule.ts';
import type { SequenceMatch } from '../model/sequence.ts';
import type { Memories } from '../state/memory.ts';
import { Closures, type Fits } from './closures.ts';
import { knownOnKind } from './nodes/known.ts';
import type { Node } from './nodes/node.ts';
import type { Nodes } from './nodes/nodes.ts';
import { Entries } from './order/entries.ts';
import { type Clock, type Junctions, Meter } from './order/meter.ts';
import { type Plan, Planner } from './plan.ts';
import type { Fields } from './search/patterns.ts';
import { Slots } from './slots.ts';
import type { SubjectIndex } from './subject-index.ts';

/** Evaluates a set of rules on events, one event at a time: `onMatch` must not call `match`. */
export interface Matcher<E> {
  /**
   * Calls `onMatch` for every rule that matches, in the order of the rules, and returns their number. A rule with a
   * threshold matches when the threshold is crossed, a sequence when it is complete. Does not allocate unless a
   * condition holds.
   * @param timeUs the event's own time, in µs: thresholds and sequences measure with it
   */
  match(event: E, onMatch: OnMatch<E>, timeUs: number): number;
}

/** `sequence`: the events that completed it, if the rule is a sequence. */
export type OnMatch<E> = (rule: CompiledRule<E>, sequence?: SequenceMatch) => void;

/** A rule with its simplified condition, or with that of one of its steps; the steps of a rule follow each other. */
export interface Prepared<E> {
  readonly rule: CompiledRule<E>;
  readonly node: Node<E>;
  /** Index of the step of a sequence. */
  readonly step: number;
}

/** Returns, by kind, the rules (by number) of each condition. Conditions that can't hold on a kind are left out. */
export function conditionsByKind<E>(
  kinds: readonly string[],
  prepared: readonly Prepared<E>[],
  nodes: Nodes<E>,
): Map<string, Map<Node<E>, number[]>> {
  const byKind = new Map<string, Map<Node<E>, number[]>>();
  for (const kind of kinds) {
    const known = knownOnKind<E>(kind);
    const memo = new Map<number, Node<E>>();
    const conditions = new Map<Node<E>, number[]>();
    for (const [number, { node }] of prepared.entries()) {
      const remaining = nodes.assume(node, known, memo);
      if (remaining === nodes.never) continue;
      const same = conditions.get(remaining);
      if (same === undefined) conditions.set(remaining, [number]);
      else same.push(number);
    }
    byKind.set(kind, conditions);
  }
  return byKind;
}

export class CompiledMatcher<E> implements Matcher<E> {
  readonly #prepared: readonly Prepared<E>[];
  readonly #memories: Memories<E>;
  readonly #kinds: EventKinds<E>;
  readonly #slots = new Slots<E>();
  readonly #plans: (Plan<E> | undefined)[];
  readonly #subjects: readonly SubjectIndex<E>[];
  readonly #entries: Entries<E>;
  readonly #kindNumbers: ReadonlyMap<string, number>;
  readonly #meter: Meter<E> | undefined;
  /** Rules that match on what was there before the agent. */
  readonly #asking: ReadonlySet<CompiledRule<E>>;

  constructor(
    prepared: readonly Prepared<E>[],
    kinds: EventKinds<E>,
    byKind: ReadonlyMap<string, ReadonlyMap<Node<E>, number[]>>,
    memories: Memories<E>,
    /** null: conditions are not indexed. */
    fields: Fields<E> | null,
    /** null: costs are not measured. */
    clock: Clock | null,
  ) {
    this.#prepared = prepared;
    this.#kinds = kinds;
    this.#memories = memories;
    this.#kindNumbers = new Map(kinds.names.map((name, number) => [name, number]));
    const asks = ({ rule }: Prepared<E>): boolean =>
      rule.operands.some(({ field }) => field.name === kinds.found?.field);
    this.#asking = new Set(prepared.filter(asks).map(({ rule }) => rule));
    const fitters = new Map<number, Fits>();
    const junctions: Junctions = new Map();
    const planner = new Planner(this.#slots, fields);
    this.#plans = kinds.names.map((name, kind) => {
      const conditions = byKind.get(name);
      if (conditions === undefined || conditions.size === 0) return undefined;
      return planner.plan(kind, conditions, new Closures(this.#slots, conditions.keys(), fitters, junctions));
    });
    this.#subjects = planner.subjects(kinds.names.length);
    this.#entries = new Entries(this.#slots, planner.entries, prepared.length);
    this.#meter = clock === null ? undefined : new Meter(this.#slots, this.#entries, junctions, clock);
  }

  match(event: E, onMatch: OnMatch<E>, timeUs: number): number {
    const named = this.#kinds.of(event);
    const kind = typeof named === 'number' ? named : (this.#kindNumbers.get(named) ?? -1);
    const plan = this.#plans[kind];
    if (plan === undefined) return 0;
    const entries = this.#entries;
    entries.count = 0;
    this.#slots.begin(event);
    plan.run(event, entries);
    for (let i = 0; i < this.#subjects.length; i++) this.#subjects[i]!.find(kind, event, entries.whole, entries.rest);
    this.#meter?.judged();
    this.#slots.end();
    return entries.count === 0 ? 0 : this.#report(event, onMatch, timeUs);
  }

  #report(event: E, onMatch: OnMatch<E>, timeUs: number): number {
    const { matched, count } = this.#entries;
    this.#entries.sort();
    const isFound = this.#kinds.found?.is(event) === true;
    let reported = 0;
    for (let i = 0; i < count; ) {
      const { rule } = this.#prepared[matched[i]!]!;
      let steps = 0;
      for (; i < count && this.#prepared[matched[i]!]!.rule === rule; i++)
        steps |= 1 << this.#prepared[matched[i]!]!.step;
      if (isFound && !this.#asking.has(rule)) continue;
      if (rule.sequence === undefined) {
        if (!this.#counts(rule, event, timeUs) || !this.#admits(rule, event, timeUs)) continue;
        reported++;
        onMatch(rule);
        continue;
      }
      const { sequences } = this.#memories.of(event);
      const found = sequences.take(rule, rule.sequence, steps, event, timeUs, this.#memories.witness);
      for (let n = 0; n < found.length; n++) {
        if (!this.#admits(rule, event, timeUs)) continue;
        reported++;
        onMatch(rule, found[n]);
      }
    }
    return reported;
  }

  #counts(rule: CompiledRule<E>, event: E, timeUs: number): boolean {
    const { threshold, summary, firstSeen } = rule;
    if (summary !== undefined) {
      this.#memories.of(event).summaries.take(rule, summary, event, timeUs, this.#memories.witness);
      return false;
    }
    if (firstSeen !== undefined) return this.#memories.isFirst(rule, firstSeen, event, timeUs);
    return threshold === undefined || this.#memories.of(event).thresholds.crosses(rule, threshold, event, timeUs);
  }

  #admits(rule: CompiledRule<E>, event: E, timeUs: number): boolean {
    const { limits } = rule;
    return limits === undefined || this.#memories.of(event).thresholds.admits(rule, limits, event, timeUs);
  }
}
