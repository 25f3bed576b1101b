import type { FieldValue } from '../catalogue.ts';
import type { Literal, Operand } from '../expression.ts';
import type { Clue } from './clues.ts';
import { PrefixTree } from './prefix-tree.ts';
import { SubstringTable } from './substrings.ts';

/** From here on, one pass for all literals beats one search each. */
const MANY_LITERALS = 4;

type Take = (entry: number) => void;

/** For one operand: which entries (conditions, by number) its value makes worth evaluating. */
export class LiteralIndex<E> {
  readonly operand: Operand<E>;
  readonly #equal = new Map<Literal, number[]>();
  readonly #prefixes = new PrefixTree<number>();
  readonly #suffixes = new PrefixTree<number>(true);
  readonly #inside = new Map<string, number[]>();
  #hasPrefixes = false;
  #hasSuffixes = false;
  #few: readonly (readonly [string, readonly number[]])[] = [];
  #table: SubstringTable | undefined;
  #insideEntries: readonly number[][] = [];
  #take: Take = () => {};
  readonly #takeInside = (literal: number): void => this.#takeAll(this.#insideEntries[literal]!);

  constructor(operand: Operand<E>) {
    this.operand = operand;
  }

  add(clue: Clue<E>, entry: number): void {
    const { literal, operator } = clue;
    if (operator === 'equals') append(this.#equal, literal, entry);
    else if (operator === 'contains') append(this.#inside, literal as string, entry);
    else if (operator === 'endswith') {
      this.#hasSuffixes = true;
      this.#suffixes.add(literal as string, entry);
    } else {
      this.#hasPrefixes = true;
      this.#prefixes.add(literal as string, entry, operator === 'pathprefix');
    }
  }

  /** Call once, after the last `add`. Entries whose literals didn't fit in the table come back: they must be evaluated always. */
  seal(): number[] {
    if (this.#inside.size === 0) return [];
    if (this.#inside.size < MANY_LITERALS) {
      this.#few = [...this.#inside];
      return [];
    }
    this.#table = SubstringTable.build([...this.#inside.keys()]);
    this.#insideEntries = [...this.#inside.values()];
    return this.#table === undefined ? this.#insideEntries.flat() : [];
  }

  find(value: FieldValue, take: Take): void {
    if (value === undefined) return;
    this.#take = take;
    if (typeof value !== 'object') this.#findOne(value);
    else for (let i = 0; i < value.length; i++) this.#findOne(value[i]!);
  }

  #findOne(value: Literal): void {
    const equal = this.#equal.get(value);
    if (equal !== undefined) this.#takeAll(equal);
    if (typeof value !== 'string') return;
    if (this.#hasPrefixes) this.#prefixes.find(value, this.#take);
    if (this.#hasSuffixes) this.#suffixes.find(value, this.#take);
    if (this.#table !== undefined) this.#table.find(value, this.#takeInside);
    for (let i = 0; i < this.#few.length; i++) {
      const [literal, entries] = this.#few[i]!;
      if (value.includes(literal)) this.#takeAll(entries);
    }
  }

  #takeAll(entries: readonly number[]): void {
    for (let i = 0; i < entries.length; i++) this.#take(entries[i]!);
  }
}

function append<K>(map: Map<K, number[]>, key: K, entry: number): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else if (entries.at(-1) !== entry) entries.push(entry);
}
