import type { Subject, TextSpan } from '../model/catalogue.ts';
import type { Operand } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';
import type { Closures } from './closures.ts';
import type { Node } from './nodes/node.ts';
import type { Entries, Entry } from './order/entries.ts';
import type { Condition } from './order/junction.ts';
import { type Clues, countTests, necessaryClues } from './search/clues.ts';
import { LiteralIndex } from './search/literal-index.ts';
import { type Fields, placeOf } from './search/patterns.ts';
import type { Slots } from './slots.ts';
import { type Lookup, SubjectIndex } from './subject-index.ts';
import { around, firstSubject, partOf, subjectOf } from './subjects.ts';

/** What is evaluated on the events of one kind. */
export class Plan<E> {
  /** Entries to evaluate on every event of the kind. */
  readonly #always: readonly number[];
  readonly #lookups: readonly Lookup<E>[];
  readonly #place: TextSpan = { bytes: new Uint8Array(), start: 0, end: 0 };

  constructor(always: readonly number[], lookups: readonly Lookup<E>[]) {
    this.#always = always;
    this.#lookups = lookups;
  }

  run(event: E, { whole }: Entries<E>): void {
    for (let i = 0; i < this.#always.length; i++) whole(this.#always[i]!);
    for (let i = 0; i < this.#lookups.length; i++) {
      const { read, index } = this.#lookups[i]!;
      const { locate } = index;
      if (locate?.(event, this.#place) === true && index.findAt(this.#place, whole)) continue;
      index.find(read(), whole);
    }
  }
}

/** Entries indexed by the facts of one subject. */
interface Filed<E> {
  readonly indexes: Map<string, LiteralIndex<E>>;
  readonly clueless: number[];
  readonly parts: Map<number, Condition>;
}

/**
 * Indexes each condition by its clues; without clues, by its subject. A condition without either is always evaluated.
 */
export class Planner<E> {
  readonly #slots: Slots<E>;
  /** null: conditions are not indexed. */
  readonly #fields: Fields<E> | null;
  readonly entries: Entry[] = [];
  readonly #filed = new Map<Subject<E>, Filed<E>>();

  constructor(slots: Slots<E>, fields: Fields<E> | null) {
    this.#slots = slots;
    this.#fields = fields;
  }

  plan(kind: number, conditions: ReadonlyMap<Node<E>, readonly number[]>, closures: Closures<E>): Plan<E> {
    const always: number[] = [];
    const indexes = new Map<string, LiteralIndex<E>>();
    const popularity = countTests(conditions.keys());
    let characters = 0;
    for (const [node, rules] of conditions) {
      const condition = closures.build(node);
      const entry = this.entries.push({ kind, condition, rest: condition, rules }) - 1;
      const clues = this.#fields === null ? undefined : necessaryClues(node, popularity);
      characters += clues === undefined ? 0 : size(clues);
      const subject = this.#fields === null ? undefined : firstSubject(node);
      if (clues !== undefined && characters <= LIMITS.indexCharacters)
        this.#file(entry, node, clues, indexes, closures);
      else if (subject === undefined) always.push(entry);
      else {
        this.#filedOf(subject).clueless.push(entry);
        this.#split(entry, node, subject, closures);
      }
    }
    for (const index of indexes.values()) always.push(...index.seal());
    return new Plan(always, this.#lookups(indexes));
  }

  /**
   * Returns the indexes of the outermost subjects, which search the inner ones. Call it once, after the last `plan`.
   */
  subjects(kinds: number): SubjectIndex<E>[] {
    const made = new Map<Subject<E>, SubjectIndex<E>>();
    const subjects = [...new Set([...this.#filed.keys()].flatMap(around))];
    for (const subject of subjects.sort((a, b) => around(b).length - around(a).length)) {
      const { indexes, clueless, parts } = this.#filedOf(subject);
      for (const index of indexes.values()) clueless.push(...index.seal());
      const within = [...made].filter(([{ within: outer }]) => outer === subject).map(([, index]) => index);
      const kindOf = this.entries.map(({ kind }) => kind);
      made.set(
        subject,
        new SubjectIndex(subject, kinds, { lookups: this.#lookups(indexes), clueless, within, parts, kinds: kindOf }),
      );
    }
    return [...made].filter(([{ within }]) => within === undefined).map(([, index]) => index);
  }

  #file(
    entry: number,
    node: Node<E>,
    { clues }: Clues<E>,
    indexes: Map<string, LiteralIndex<E>>,
    closures: Closures<E>,
  ): void {
    const places = clues.map((clue) => ({ clue, ...placeOf(clue, this.#fields!) }));
    const subjects = new Set<Subject<E> | undefined>();
    for (const { clue, operand, patterns } of places) {
      const subject = subjectOfAll(operand);
      subjects.add(subject);
      indexFor(operand, subject === undefined ? indexes : this.#filedOf(subject).indexes).add(clue, patterns, entry);
    }
    const [first, ...more] = [...subjects];
    if (first === undefined) return;
    const common = around(first).find((candidate) =>
      more.every((subject) => subject !== undefined && around(subject).includes(candidate)),
    );
    if (common !== undefined) this.#split(entry, node, common, closures);
  }

  /** `subject` and the subjects around it are known before the condition is evaluated. */
  #split(entry: number, node: Node<E>, subject: Subject<E>, closures: Closures<E>): void {
    for (const outer of around(subject)) {
      const { part, rest } = partOf(node, outer);
      this.#filedOf(outer).parts.set(entry, closures.all(part));
      this.entries[entry]!.rest = closures.all(rest);
    }
  }

  #filedOf(subject: Subject<E>): Filed<E> {
    const known = this.#filed.get(subject) ?? { indexes: new Map(), clueless: [], parts: new Map() };
    this.#filed.set(subject, known);
    return known;
  }

  #lookups(indexes: ReadonlyMap<string, LiteralIndex<E>>): Lookup<E>[] {
    return [...indexes.values()].map((index) => ({ index, read: this.#slots.reader(index.operand) }));
  }
}

/**
 * Returns the subject that indexes an operand for events of all kinds; undefined: not all kinds have the field, so the
 * event is asked.
 */
function subjectOfAll<E>(operand: Operand<E>): Subject<E> | undefined {
  return operand.field.kinds === undefined ? subjectOf(operand) : undefined;
}

function indexFor<E>(operand: Operand<E>, indexes: Map<string, LiteralIndex<E>>): LiteralIndex<E> {
  const index = indexes.get(operand.key) ?? new LiteralIndex(operand);
  indexes.set(operand.key, index);
  return index;
}

function size<E>(clues: Clues<E>): number {
  return clues.clues.reduce((sum, { literal }) => sum + String(literal).length, 0);
}
