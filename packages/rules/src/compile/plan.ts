import type { FieldValue } from '../catalogue.ts';
import { LIMITS } from '../limits.ts';
import type { Closures, Condition } from './closures.ts';
import { type Clues, countTests, necessaryClues } from './clues.ts';
import { LiteralIndex } from './literal-index.ts';
import type { Node } from './nodes.ts';
import type { Slots } from './slots.ts';

/** One condition, with the rules (by number) that have it on this kind of event. */
interface Entry {
  readonly condition: Condition;
  readonly rules: readonly number[];
}

/** What is done with the events of one kind. */
export class Plan<E> {
  readonly #slots: Slots<E>;
  readonly #entries: readonly Entry[];
  /** entries to evaluate on every event of the kind */
  readonly #always: readonly number[];
  readonly #indexes: readonly { readonly read: () => FieldValue; readonly index: LiteralIndex<E> }[];
  /** generation in which an entry was evaluated last: several clues may lead to it */
  readonly #evaluated: Float64Array;
  #matched: (rule: number) => void = () => {};
  readonly #consider = (entry: number): void => {
    if (this.#evaluated[entry] === this.#slots.generation) return;
    this.#evaluated[entry] = this.#slots.generation;
    const { condition, rules } = this.#entries[entry]!;
    if (condition()) for (let i = 0; i < rules.length; i++) this.#matched(rules[i]!);
  };

  constructor(slots: Slots<E>, conditions: ReadonlyMap<Node<E>, readonly number[]>, closures: Closures<E>) {
    this.#slots = slots;
    this.#entries = [...conditions].map(([node, rules]) => ({ condition: closures.build(node), rules }));
    this.#evaluated = new Float64Array(this.#entries.length).fill(-1);
    const { always, indexes } = arrange([...conditions.keys()]);
    this.#always = always;
    this.#indexes = indexes.map((index) => ({ index, read: slots.reader(index.operand) }));
  }

  /** Calls `matched` with the number of every rule whose condition holds on the slots' event, in no particular order. */
  run(matched: (rule: number) => void): void {
    this.#matched = matched;
    for (let i = 0; i < this.#always.length; i++) this.#consider(this.#always[i]!);
    for (let i = 0; i < this.#indexes.length; i++) {
      const { read, index } = this.#indexes[i]!;
      index.find(read(), this.#consider);
    }
  }
}

/** Puts each condition under its clues, or, when it has none, among those that are always evaluated. */
function arrange<E>(nodes: readonly Node<E>[]): { always: number[]; indexes: LiteralIndex<E>[] } {
  const always: number[] = [];
  const indexes = new Map<string, LiteralIndex<E>>();
  const popularity = countTests(nodes);
  let characters = 0;
  for (const [entry, node] of nodes.entries()) {
    const clues = necessaryClues(node, popularity);
    characters += clues === undefined ? 0 : size(clues);
    if (clues === undefined || characters > LIMITS.indexCharacters) {
      always.push(entry);
      continue;
    }
    for (const clue of clues.clues) {
      const index = indexes.get(clue.operand.key) ?? new LiteralIndex(clue.operand);
      indexes.set(clue.operand.key, index);
      index.add(clue, entry);
    }
  }
  for (const index of indexes.values()) always.push(...index.seal());
  return { always, indexes: [...indexes.values()] };
}

function size<E>(clues: Clues<E>): number {
  return clues.clues.reduce((sum, { literal }) => sum + String(literal).length, 0);
}
