import type { Slots } from '../slots.ts';
import type { Condition } from './junction.ts';

/** One condition on one kind of event, with the rules (by number) that have it there. */
export interface Entry {
  /** Number of the kind. */
  readonly kind: number;
  readonly condition: Condition;
  /** The rest of the condition once its part about the subject is known to hold. */
  rest: Condition;
  readonly rules: readonly number[];
}

/** Below this number an insertion sort beats a library call. */
const FEW = 16;

/** All conditions by number, and the rules whose condition holds on the current event. */
export class Entries<E> {
  readonly #slots: Slots<E>;
  readonly list: readonly Entry[];
  /** Rules whose condition holds; only the first `count` are valid. */
  readonly matched: Int32Array;
  count = 0;
  /** Generation in which an entry was evaluated last: several clues may lead to it. */
  readonly #evaluated: Float64Array;

  constructor(slots: Slots<E>, list: readonly Entry[], rules: number) {
    this.#slots = slots;
    this.list = list;
    this.matched = new Int32Array(rules);
    this.#evaluated = new Float64Array(list.length).fill(-1);
  }

  readonly whole = (entry: number): void => {
    if (this.#isNew(entry)) this.#take(this.list[entry]!.condition, entry);
  };

  /** Evaluates the rest of an entry whose part about the subject holds. */
  readonly rest = (entry: number): void => {
    if (this.#isNew(entry)) this.#take(this.list[entry]!.rest, entry);
  };

  /** Whether the entry was evaluated on the current event. */
  isJudged(entry: number): boolean {
    return this.#evaluated[entry] === this.#slots.generation;
  }

  /** Sorts the matched rules into the order of the rules. */
  sort(): void {
    const { matched, count } = this;
    if (count > FEW) {
      matched.subarray(0, count).sort();
      return;
    }
    for (let i = 1; i < count; i++) {
      const rule = matched[i]!;
      let at = i;
      for (; at > 0 && matched[at - 1]! > rule; at--) matched[at] = matched[at - 1]!;
      matched[at] = rule;
    }
  }

  #isNew(entry: number): boolean {
    const { generation } = this.#slots;
    if (this.#evaluated[entry] === generation) return false;
    this.#evaluated[entry] = generation;
    return true;
  }

  #take(condition: Condition, entry: number): void {
    if (!condition()) return;
    const { rules } = this.list[entry]!;
    for (let i = 0; i < rules.length; i++) this.matched[this.count++] = rules[i]!;
  }
}
