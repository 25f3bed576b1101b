import type { TextSpan } from '../../model/catalogue.ts';
import { LIMITS } from '../../model/limits.ts';
import { columnsOf } from './trie.ts';

const NONE = -1;

/** A text that may be anywhere in another one. */
export interface TableLiteral {
  readonly text: string;
  /** The argument of `hit`. */
  readonly number: number;
}

/**
 * Finds all of many literals in a text in one pass (Aho–Corasick with complete transitions): one table lookup per
 * character, however many literals there are. Characters that are in no literal share a column. Stretches in which no
 * literal can start are skipped, and no character is read more than twice.
 */
export class TextTable {
  /** By character. */
  readonly #columns: Uint16Array;
  /** A state is the index of its row, the first is 0; the next state is in the character's column. */
  readonly #next: Int32Array;
  readonly #width: number;
  /** From this state on, states end a literal. */
  readonly #hits: number;
  /** By row from there: the literal that ends there, or NONE. */
  readonly #ends: Int32Array;
  /** By row from there: the state of the nearest shorter suffix where a literal ends, or NONE. */
  readonly #shorter: Int32Array;

  /** Characters of the shortest literal. */
  readonly #least: number;
  /** By two characters: how far ahead the next literal can start whose first #least characters end there or later. */
  readonly #skips: Uint8Array;

  #isFound = false;
  readonly #found = (): void => {
    this.#isFound = true;
  };

  private constructor(
    columns: Uint16Array,
    { next, width, ends, shorter, hits }: Ordered,
    literals: readonly TableLiteral[],
  ) {
    this.#least = Math.min(MOST_SKIPPED, ...literals.map(({ text }) => text.length));
    this.#skips = skipsOf(literals, this.#least);
    this.#columns = columns;
    this.#next = next;
    this.#width = width;
    this.#hits = hits;
    this.#ends = ends;
    this.#shorter = shorter;
  }

  /** Literals must be distinct and not empty. Returns undefined if the table would be too large. */
  static build(literals: readonly TableLiteral[]): TextTable | undefined {
    let states = 1;
    const codes = new Set<number>();
    for (const { text } of literals) {
      if (text === '') return undefined;
      states += text.length;
      for (let i = 0; i < text.length; i++) codes.add(text.charCodeAt(i));
    }
    const { list, width } = columnsOf([...codes]);
    if (states * width > LIMITS.tableCells) return undefined;
    const trie = { next: new Int32Array(states * width).fill(NONE), ends: new Int32Array(states).fill(NONE), width };
    const used = addLiterals(literals, list, trie);
    return new TextTable(list, inOrder(trie, link(trie, used), used), literals);
  }

  /** Calls `hit` with the number of each literal found, perhaps several times. */
  find(text: string, hit: (number: number) => void): void {
    const skips = this.#skips;
    const hits = this.#hits;
    for (let last = this.#least - 1; last < text.length; ) {
      const skipped = last === 0 ? 0 : skips[pair(text.charCodeAt(last - 1), text.charCodeAt(last))]!;
      if (skipped > 0) {
        last += skipped;
        continue;
      }
      let at = last + 1 - this.#least;
      let state = 0;
      do {
        state = this.#step(state, text.charCodeAt(at++));
        if (state >= hits) this.#report(state, hit);
      } while (state !== 0 && at < text.length);
      last = at + this.#least - 1;
    }
  }

  /** Does the same on bytes in place. Returns false if they are not ASCII, when literals may have been missed. */
  findAt(place: TextSpan, hit: (number: number) => void): boolean {
    return this.#least < WORTH_SKIPPING ? this.#passAt(place, hit) : this.#skipAt(place, hit);
  }

  #passAt({ bytes, start, end }: TextSpan, hit: (number: number) => void): boolean {
    const columns = this.#columns;
    const next = this.#next;
    const hits = this.#hits;
    let state = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) return false;
      state = next[state + columns[byte]!]!;
      if (state >= hits) this.#report(state, hit);
    }
    return true;
  }

  #skipAt({ bytes, start, end }: TextSpan, hit: (number: number) => void): boolean {
    let all = 0;
    for (let i = start; i < end; i++) all |= bytes[i]!;
    if (all >= 0x80) return false;
    const skips = this.#skips;
    const hits = this.#hits;
    for (let last = start + this.#least - 1; last < end; ) {
      const skipped = last === start ? 0 : skips[pair(bytes[last - 1]!, bytes[last]!)]!;
      if (skipped > 0) {
        last += skipped;
        continue;
      }
      let at = last + 1 - this.#least;
      let state = 0;
      do {
        state = this.#step(state, bytes[at++]!);
        if (state >= hits) this.#report(state, hit);
      } while (state !== 0 && at < end);
      last = at + this.#least - 1;
    }
    return true;
  }

  some(text: string): boolean {
    this.#isFound = false;
    this.find(text, this.#found);
    return this.#isFound;
  }

  #step(state: number, code: number): number {
    return code < this.#columns.length ? this.#next[state + this.#columns[code]!]! : 0;
  }

  #report(state: number, hit: (number: number) => void): void {
    for (let at = state; at !== NONE; ) {
      const row = (at - this.#hits) / this.#width;
      if (this.#ends[row] !== NONE) hit(this.#ends[row]!);
      at = this.#shorter[row]!;
    }
  }
}

/** Skipping does not pay if the shortest literal is shorter than this. */
const WORTH_SKIPPING = 4;
/** Fits in a byte. */
const MOST_SKIPPED = 255;
const PAIRS = 1024;
const pair = (code: number, next: number): number => ((code << 5) ^ next) & (PAIRS - 1);

/**
 * Wu and Manber's shift table: where two characters are in no literal, the next literal can start no earlier than the
 * second.
 */
function skipsOf(literals: readonly TableLiteral[], least: number): Uint8Array {
  const skips = new Uint8Array(PAIRS).fill(least - 1);
  for (const { text } of literals)
    for (let i = 1; i < least; i++) {
      const at = pair(text.charCodeAt(i - 1), text.charCodeAt(i));
      skips[at] = Math.min(skips[at]!, least - 1 - i);
    }
  return skips;
}

interface States {
  readonly next: Int32Array;
  readonly ends: Int32Array;
  readonly width: number;
}

function addLiterals(literals: readonly TableLiteral[], columns: Uint16Array, { next, ends, width }: States): number {
  let states = 1;
  for (const { text, number } of literals) {
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      const cell = state * width + columns[text.charCodeAt(i)]!;
      if (next[cell] === NONE) next[cell] = states++;
      state = next[cell]!;
    }
    ends[state] = number;
  }
  return states;
}

/**
 * Completes the transitions, breadth first: a state that can't continue goes to the longest suffix that starts a word.
 * Returns, by state, the nearest shorter suffix where a pattern ends.
 */
function link({ next, ends, width }: States, states: number): Int32Array {
  const shorter = new Int32Array(states).fill(NONE);
  const fallback = new Int32Array(states);
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
  return shorter;
}

interface Ordered extends States {
  readonly shorter: Int32Array;
  readonly hits: number;
}

/**
 * Moves states that end a literal to the end, so that one comparison recognizes them, and names each state by the index
 * of its row.
 */
function inOrder({ next, ends, width }: States, shorter: Int32Array, states: number): Ordered {
  const isHit = (state: number): boolean => ends[state] !== NONE || shorter[state] !== NONE;
  const all = Array.from({ length: states }, (_, state) => state);
  const order = [...all.filter((state) => !isHit(state)), ...all.filter(isHit)];
  const first = order.findIndex(isHit);
  const hits = (first === -1 ? states : first) * width;
  const places = new Int32Array(states);
  for (const [place, state] of order.entries()) places[state] = place * width;
  const ordered = new Int32Array(states * width);
  for (const [place, state] of order.entries())
    for (let column = 0; column < width; column++)
      ordered[place * width + column] = places[next[state * width + column]!]!;
  const last = order.slice(hits / width);
  return {
    next: ordered,
    width,
    hits,
    ends: Int32Array.from(last, (state) => ends[state]!),
    shorter: Int32Array.from(last, (state) => (shorter[state] === NONE ? NONE : places[shorter[state]!]!)),
  };
}
