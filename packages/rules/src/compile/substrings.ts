import { LIMITS } from '../limits.ts';

const NONE = -1;

/**
 * Finds all of many literals inside a text in one pass (Aho–Corasick, with every transition worked out): a table look-up per character, however
 * many literals there are. Characters that stand in no literal share one column.
 */
export class SubstringTable {
  readonly #columns: Uint16Array;
  readonly #width: number;
  readonly #next: Int32Array;
  /** per state: the literal that ends here, or NONE */
  readonly #ends: Int32Array;
  /** per state: the nearest shorter suffix where a literal ends, or NONE */
  readonly #shorter: Int32Array;

  private constructor(columns: Uint16Array, width: number, next: Int32Array, ends: Int32Array, shorter: Int32Array) {
    this.#columns = columns;
    this.#width = width;
    this.#next = next;
    this.#ends = ends;
    this.#shorter = shorter;
  }

  /** Literals must be distinct and not empty. undefined: the table would be too large. */
  static build(literals: readonly string[]): SubstringTable | undefined {
    const columns = new Uint16Array(65_536);
    let width = 1;
    let states = 1;
    for (const literal of literals) {
      if (literal === '') return undefined;
      states += literal.length;
      for (let i = 0; i < literal.length; i++) {
        const code = literal.charCodeAt(i);
        if (columns[code] === 0) columns[code] = width++;
      }
    }
    if (states * width > LIMITS.substringCells) return undefined;
    const next = new Int32Array(states * width).fill(NONE);
    const ends = new Int32Array(states).fill(NONE);
    const shorter = new Int32Array(states).fill(NONE);
    addWords(literals, columns, width, next, ends);
    link(width, next, ends, shorter);
    return new SubstringTable(columns, width, next, ends, shorter);
  }

  /** Calls `hit` with the index of each literal found, perhaps several times. */
  find(text: string, hit: (index: number) => void): void {
    const columns = this.#columns;
    const next = this.#next;
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      state = next[state * this.#width + columns[text.charCodeAt(i)]!]!;
      for (
        let end = this.#ends[state]! === NONE ? this.#shorter[state]! : state;
        end !== NONE;
        end = this.#shorter[end]!
      ) {
        hit(this.#ends[end]!);
      }
    }
  }

  some(text: string): boolean {
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      state = this.#next[state * this.#width + this.#columns[text.charCodeAt(i)]!]!;
      if (this.#ends[state] !== NONE || this.#shorter[state] !== NONE) return true;
    }
    return false;
  }
}

function addWords(
  literals: readonly string[],
  columns: Uint16Array,
  width: number,
  next: Int32Array,
  ends: Int32Array,
): void {
  let states = 1;
  for (const [index, literal] of literals.entries()) {
    let state = 0;
    for (let i = 0; i < literal.length; i++) {
      const cell = state * width + columns[literal.charCodeAt(i)]!;
      if (next[cell] === NONE) next[cell] = states++;
      state = next[cell]!;
    }
    ends[state] = index;
  }
}

/** Fills in, breadth first, where each state goes when its word can't go on: to the longest suffix that is the start of a word. */
function link(width: number, next: Int32Array, ends: Int32Array, shorter: Int32Array): void {
  const fallback = new Int32Array(ends.length);
  const queue: number[] = [];
  for (let column = 0; column < width; column++) {
    const child = next[column]!;
    if (child === NONE) next[column] = 0;
    else queue.push(child);
  }
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head]!;
    const back = fallback[state]!;
    shorter[state] = ends[back] === NONE ? shorter[back]! : back;
    for (let column = 0; column < width; column++) {
      const cell = state * width + column;
      const child = next[cell]!;
      const fallen = next[back * width + column]!;
      if (child === NONE) next[cell] = fallen;
      else {
        fallback[child] = fallen;
        queue.push(child);
      }
    }
  }
}
