import type { FieldSpec, FieldValue, TextSpan } from '../../model/catalogue.ts';
import type { Literal, Operand } from '../../model/expression.ts';
import { isPlain } from '../nodes/known.ts';
import type { Clue } from './clues.ts';
import { type Pattern, TextSearch } from './text-search.ts';

type Take = (entry: number) => void;

/** For one operand: the entries (conditions, by number) that its value makes worth evaluating. */
export class LiteralIndex<E> {
  readonly operand: Operand<E>;
  /** undefined: the operand's value must be read. */
  readonly locate: FieldSpec<E>['locate'];
  /** Entries by a literal that is not text. */
  readonly #equal = new Map<Literal, number[]>();
  /** By the pattern as text. */
  readonly #patterns = new Map<string, { readonly pattern: Pattern; readonly entries: number[] }>();
  #search: TextSearch | undefined;
  #entries: readonly (readonly number[])[] = [];
  #take: Take = () => {};
  readonly #takePattern = (pattern: number): void => this.#takeAll(this.#entries[pattern]!);

  constructor(operand: Operand<E>) {
    this.operand = operand;
    this.locate = isPlain(operand) ? operand.field.locate : undefined;
  }

  /** `patterns`: where the literal is searched in a text; none: the value equals the literal. */
  add({ literal }: Clue<E>, patterns: readonly Pattern[], entry: number): void {
    if (patterns.length === 0) append(this.#equal, literal, entry);
    for (const pattern of patterns) {
      const key = `${pattern.atStart ? '^' : ' '}${pattern.atEnd ? '$' : ' '}${pattern.text}`;
      const same = this.#patterns.get(key) ?? { pattern, entries: [] };
      this.#patterns.set(key, same);
      if (same.entries.at(-1) !== entry) same.entries.push(entry);
    }
  }

  entries(): number[] {
    return [...this.#equal.values(), ...[...this.#patterns.values()].map(({ entries }) => entries)].flat();
  }

  /**
   * Builds the search; call it once, after the last `add`. Returns the entries whose patterns are too many to search
   * for: they must always be evaluated.
   */
  seal(): number[] {
    if (this.#patterns.size === 0) return [];
    const all = [...this.#patterns.values()];
    this.#search = TextSearch.build(all.map(({ pattern }) => pattern));
    this.#entries = all.map(({ entries }) => entries);
    return this.#search === undefined ? this.#entries.flat() : [];
  }

  /** Returns false if the value must be read instead. */
  findAt(place: TextSpan, take: Take): boolean {
    if (this.#search === undefined) return false;
    this.#take = take;
    return this.#search.findAt(place, this.#takePattern);
  }

  find(value: FieldValue, take: Take): void {
    if (value === undefined) return;
    this.#take = take;
    if (typeof value !== 'object') this.#findOne(value);
    else for (let i = 0; i < value.length; i++) this.#findOne(value[i]!);
  }

  #findOne(value: Literal): void {
    if (typeof value === 'string') this.#search?.find(value, this.#takePattern);
    else {
      const equal = this.#equal.get(value);
      if (equal !== undefined) this.#takeAll(equal);
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
