import type { TextPlace } from '../catalogue.ts';
import type { Operand } from '../expression.ts';
import { LIMITS } from '../limits.ts';
import type { Closures, Condition } from './closures.ts';
import { type Clues, countTests, necessaryClues } from './clues.ts';
import { LiteralIndex } from './literal-index.ts';
import type { Node } from './nodes.ts';
import { type Fields, placeOf } from './patterns.ts';
import type { Slots } from './slots.ts';
import { type Lookup, partOf, type Subject, SubjectIndex, subjectOf } from './subject-index.ts';

/** One condition, with the rules (by number) that have it on this kind of event. */
interface Entry {
  readonly condition: Condition;
  /** what is left of the condition where its subject's part is known to hold */
  rest: Condition;
  readonly rules: readonly number[];
}

/** What is done with the events of one kind. */
export class Plan<E> {
  readonly #slots: Slots<E>;
  readonly #entries: readonly Entry[];
  /** entries to evaluate on every event of the kind */
  readonly #always: readonly number[];
  readonly #lookups: readonly Lookup<E>[];
  readonly #subjects: readonly SubjectIndex<E>[];
  /** generation in which an entry was evaluated last: several clues may lead to it */
  readonly #evaluated: Float64Array;
  readonly #place: TextPlace = { bytes: new Uint8Array(), start: 0, end: 0 };
  #matched: (rule: number) => void = () => {};
  readonly #whole = (entry: number): void => {
    if (this.#isNew(entry)) this.#take(entry, this.#entries[entry]!.condition);
  };
  readonly #rest = (entry: number): void => {
    if (this.#isNew(entry)) this.#take(entry, this.#entries[entry]!.rest);
  };

  constructor(
    slots: Slots<E>,
    conditions: ReadonlyMap<Node<E>, readonly number[]>,
    closures: Closures<E>,
    /** null: nothing is indexed */
    fields: Fields<E> | null,
  ) {
    this.#slots = slots;
    this.#entries = [...conditions].map(([node, rules]) => {
      const condition = closures.build(node);
      return { condition, rest: condition, rules };
    });
    this.#evaluated = new Float64Array(this.#entries.length).fill(-1);
    const { always, indexes, subjects } =
      fields === null
        ? { always: [...this.#entries.keys()], indexes: [], subjects: [] }
        : arrange([...conditions.keys()], fields);
    this.#always = always;
    const lookup = (index: LiteralIndex<E>): Lookup<E> => ({ index, read: slots.reader(index.operand) });
    this.#lookups = indexes.map(lookup);
    this.#subjects = subjects.map(({ subject, indexes: own, others, split }) => {
      const parts = new Map<number, Condition>();
      for (const [entry, { part, rest }] of split) {
        parts.set(entry, closures.all(part));
        this.#entries[entry]!.rest = closures.all(rest);
      }
      return new SubjectIndex(subject, [...own.values()].map(lookup), others, parts);
    });
  }

  /** Calls `matched` with the number of every rule whose condition holds on the slots' event, in no particular order. */
  run(event: E, matched: (rule: number) => void): void {
    this.#matched = matched;
    for (let i = 0; i < this.#always.length; i++) this.#whole(this.#always[i]!);
    for (let i = 0; i < this.#lookups.length; i++) {
      const { read, index } = this.#lookups[i]!;
      const { locate } = index;
      if (locate?.(event, this.#place) === true && index.findAt(this.#place, this.#whole)) continue;
      index.find(read(), this.#whole);
    }
    for (let i = 0; i < this.#subjects.length; i++) this.#subjects[i]!.find(event, this.#whole, this.#rest);
  }

  #isNew(entry: number): boolean {
    if (this.#evaluated[entry] === this.#slots.generation) return false;
    this.#evaluated[entry] = this.#slots.generation;
    return true;
  }

  #take(entry: number, condition: Condition): void {
    if (!condition()) return;
    const { rules } = this.#entries[entry]!;
    for (let i = 0; i < rules.length; i++) this.#matched(rules[i]!);
  }
}

/** What is filed under the facts of one subject. */
interface Filed<E> {
  readonly subject: Subject<E>;
  readonly indexes: Map<string, LiteralIndex<E>>;
  readonly others: number[];
  readonly split: Map<number, ReturnType<typeof partOf<E>>>;
}

/** Puts each condition under its clues; one without them under its subject; what is about no subject either is always evaluated. */
function arrange<E>(
  nodes: readonly Node<E>[],
  fields: Fields<E>,
): {
  always: number[];
  indexes: LiteralIndex<E>[];
  subjects: Filed<E>[];
} {
  const always: number[] = [];
  const indexes = new Map<string, LiteralIndex<E>>();
  const subjects = new Map<Subject<E>, Filed<E>>();
  const filed = (subject: Subject<E>): Filed<E> => {
    const known = subjects.get(subject) ?? { subject, indexes: new Map(), others: [], split: new Map() };
    subjects.set(subject, known);
    return known;
  };
  const popularity = countTests(nodes);
  let characters = 0;
  for (const [entry, node] of nodes.entries()) {
    const clues = necessaryClues(node, popularity);
    characters += clues === undefined ? 0 : size(clues);
    if (clues === undefined || characters > LIMITS.indexCharacters) {
      const subject = subjectOf(node);
      if (subject === undefined) always.push(entry);
      else {
        filed(subject).others.push(entry);
        filed(subject).split.set(entry, partOf(node, subject));
      }
      continue;
    }
    for (const clue of clues.clues) {
      const { operand, patterns } = placeOf(clue, fields);
      const { subject } = operand.field;
      indexFor(operand, subject === undefined ? indexes : filed(subject).indexes).add(clue, patterns, entry);
    }
    const subject = onlySubject(clues);
    if (subject !== undefined) filed(subject).split.set(entry, partOf(node, subject));
  }
  for (const index of indexes.values()) always.push(...index.seal());
  for (const { indexes: own, others } of subjects.values())
    for (const index of own.values()) others.push(...index.seal());
  return { always, indexes: [...indexes.values()], subjects: [...subjects.values()] };
}

function indexFor<E>(operand: Operand<E>, indexes: Map<string, LiteralIndex<E>>): LiteralIndex<E> {
  const index = indexes.get(operand.key) ?? new LiteralIndex(operand);
  indexes.set(operand.key, index);
  return index;
}

/** That all clues are about; undefined: they are about several things. */
function onlySubject<E>({ clues }: Clues<E>): Subject<E> | undefined {
  const subject = clues[0]?.operand.field.subject;
  return clues.every(({ operand }) => operand.field.subject === subject) ? subject : undefined;
}

function size<E>(clues: Clues<E>): number {
  return clues.clues.reduce((sum, { literal }) => sum + String(literal).length, 0);
}
