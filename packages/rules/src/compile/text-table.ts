import type { TextPlace } from '../catalogue.ts';
import { LIMITS } from '../limits.ts';

const NONE = -1;

/** A literal and where in a text it is looked for: at its start, at its end, both, or anywhere. */
export interface Pattern {
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/**
 * Finds all of many literals in a text in one pass (Aho–Corasick, with every transition worked out): a table look-up per character, however many
 * literals there are. Start and end of the text are symbols like its characters. Characters that stand in no literal share one column.
 */
export class TextTable {
  readonly #columns: Uint16Array;
  /** A state is the place of its row; what comes next stands under the character's column. */
  readonly #next: Int32Array;
  readonly #width: number;
  /** after the symbol for the start */
  readonly #start: number;
  /** in states from here on a literal ends */
  readonly #hits: number;
  /** by row from there: the pattern that ends there, or NONE */
  readonly #ends: Int32Array;
  /** by row from there: the state of the nearest shorter suffix where a pattern ends, or NONE */
  readonly #shorter: Int32Array;

  private constructor(columns: Uint16Array, { next, width, ends, shorter, hits }: Ordered) {
    this.#columns = columns;
    this.#next = next;
    this.#width = width;
    this.#start = next[START]!;
    this.#hits = hits;
    this.#ends = ends;
    this.#shorter = shorter;
  }

  /** Patterns must be distinct and not empty. undefined: the table would be too large. */
  static build(patterns: readonly Pattern[]): TextTable | undefined {
    const columns = new Uint16Array(65_536);
    let width = FIRST_COLUMN;
    let states = 1;
    for (const { text } of patterns) {
      if (text === '') return undefined;
      states += text.length + 2;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (columns[code] === 0) columns[code] = width++;
      }
    }
    if (states * width > LIMITS.tableCells) return undefined;
    const trie = { next: new Int32Array(states * width).fill(NONE), ends: new Int32Array(states).fill(NONE), width };
    const used = addPatterns(patterns, columns, trie);
    return new TextTable(columns, inOrder(trie, link(trie, used), used));
  }

  /** Calls `hit` with the index of each pattern found, perhaps several times. */
  find(text: string, hit: (index: number) => void): void {
    const columns = this.#columns;
    const next = this.#next;
    const hits = this.#hits;
    let state = this.#start;
    if (state >= hits) this.#report(state, hit);
    for (let i = 0; i < text.length; i++) {
      state = next[state + columns[text.charCodeAt(i)]!]!;
      if (state >= hits) this.#report(state, hit);
    }
    state = next[state + END]!;
    if (state >= hits) this.#report(state, hit);
  }

  /** The same where the text lies; false: it isn't ASCII, and not all may have been found. */
  findAt({ bytes, start, end }: TextPlace, hit: (index: number) => void): boolean {
    const columns = this.#columns;
    const next = this.#next;
    const hits = this.#hits;
    let state = this.#start;
    if (state >= hits) this.#report(state, hit);
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) return false;
      state = next[state + columns[byte]!]!;
      if (state >= hits) this.#report(state, hit);
    }
    state = next[state + END]!;
    if (state >= hits) this.#report(state, hit);
    return true;
  }

  some(text: string): boolean {
    const columns = this.#columns;
    const next = this.#next;
    const hits = this.#hits;
    let state = this.#start;
    for (let i = 0; i < text.length; i++) {
      state = next[state + columns[text.charCodeAt(i)]!]!;
      if (state >= hits) return true;
    }
    return next[state + END]! >= hits;
  }

  #report(state: number, hit: (index: number) => void): void {
    for (let at = state; at !== NONE; ) {
      const row = (at - this.#hits) / this.#width;
      if (this.#ends[row] !== NONE) hit(this.#ends[row]!);
      at = this.#shorter[row]!;
    }
  }
}

/** Columns: of characters in no literal, of the start, of the end, then of one character each. */
const START = 1;
const END = 2;
const FIRST_COLUMN = 3;

interface Trie {
  readonly next: Int32Array;
  readonly ends: Int32Array;
  readonly width: number;
}

function addPatterns(patterns: readonly Pattern[], columns: Uint16Array, { next, ends, width }: Trie): number {
  let states = 1;
  let state = 0;
  const go = (column: number): void => {
    const cell = state * width + column;
    if (next[cell] === NONE) next[cell] = states++;
    state = next[cell]!;
  };
  // The walk begins there, whether or not a pattern does.
  go(START);
  for (const [index, { text, atStart, atEnd }] of patterns.entries()) {
    state = 0;
    if (atStart) go(START);
    for (let i = 0; i < text.length; i++) go(columns[text.charCodeAt(i)]!);
    if (atEnd) go(END);
    ends[state] = index;
  }
  return states;
}

/**
 * Fills in, breadth first, where each state goes when its word can't go on: to the longest suffix that is the start of a word. By state: the nearest
 * shorter suffix where a pattern ends.
 */
function link({ next, ends, width }: Trie, states: number): Int32Array {
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

interface Ordered extends Trie {
  readonly shorter: Int32Array;
  readonly hits: number;
}

/** States where something ends come last, so that one comparison tells them; each is named by the place of its row. */
function inOrder({ next, ends, width }: Trie, shorter: Int32Array, states: number): Ordered {
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
