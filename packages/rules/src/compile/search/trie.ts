import type { TextSpan } from '../../model/catalogue.ts';
import { LIMITS } from '../../model/limits.ts';

const NONE = -1;
const ROOT = 0;

/** A text that others start with; `whole`: that others are equal to. */
export interface TrieLiteral {
  readonly text: string;
  readonly whole: boolean;
  /** The argument of `hit`. */
  readonly number: number;
}

/**
 * Finds the literals that a text starts with, or, backwards, ends with. A node is a place where literals diverge or one
 * ends; the text they share up to there is its label. Most texts diverge from all literals after a few characters, and
 * only these are read.
 */
export class Trie {
  readonly #backwards: boolean;
  readonly #labels: Uint16Array;
  /** By node: its label is #labels[labelAts, labelEnds). */
  readonly #labelAts: Int32Array;
  readonly #labelEnds: Int32Array;
  /** By node: the literal that ends there, or NONE; for texts that continue, and for texts that end there too. */
  readonly #prefixes: Int32Array;
  readonly #wholes: Int32Array;
  /** By node: where its row of #children starts, or NONE. */
  readonly #rows: Int32Array;
  /** The node in the column of the next character; ROOT: none. */
  readonly #children: Int32Array;
  /** By character; characters at which no literals diverge share column 0. */
  readonly #columns: Uint16Array;

  #isFound = false;
  readonly #found = (): void => {
    this.#isFound = true;
  };

  private constructor(backwards: boolean, nodes: readonly Node[], edges: readonly Edge[], columns: Columns) {
    this.#backwards = backwards;
    this.#labels = new Uint16Array(nodes.reduce((sum, { label }) => sum + label.length, 0));
    this.#labelAts = new Int32Array(nodes.length);
    this.#labelEnds = new Int32Array(nodes.length);
    this.#prefixes = Int32Array.from(nodes, ({ prefix }) => prefix);
    this.#wholes = Int32Array.from(nodes, ({ whole }) => whole);
    this.#rows = new Int32Array(nodes.length).fill(NONE);
    let at = 0;
    for (const [node, { label }] of nodes.entries()) {
      this.#labelAts[node] = at;
      for (let i = 0; i < label.length; i++) this.#labels[at++] = label.charCodeAt(i);
      this.#labelEnds[node] = at;
    }
    this.#columns = columns.list;
    this.#children = new Int32Array(columns.width * new Set(edges.map(({ from }) => from)).size);
    let rows = 0;
    for (const { from, code, to } of edges) {
      if (this.#rows[from] === NONE) this.#rows[from] = columns.width * rows++;
      this.#children[this.#rows[from]! + columns.list[code]!] = to;
    }
  }

  /** Returns undefined if the trie would be too large. */
  static build(literals: readonly TrieLiteral[], backwards = false): Trie | undefined {
    const { nodes, edges } = grow(literals, backwards);
    const columns = columnsOf(edges.map(({ code }) => code));
    if (nodes.length * columns.width > LIMITS.tableCells) return undefined;
    return new Trie(backwards, nodes, edges, columns);
  }

  /** Calls `hit` with the number of each literal found. */
  find(text: string, hit: (number: number) => void): void {
    const labels = this.#labels;
    const step = this.#backwards ? -1 : 1;
    let at = this.#backwards ? text.length - 1 : 0;
    let left = text.length;
    for (let node = ROOT; ; ) {
      const end = this.#labelEnds[node]!;
      for (let i = this.#labelAts[node]!; i < end; i++) {
        if (left-- === 0 || text.charCodeAt(at) !== labels[i]) return;
        at += step;
      }
      this.#report(node, left, hit);
      if (left-- === 0 || this.#rows[node] === NONE) return;
      const code = text.charCodeAt(at);
      if (code >= this.#columns.length) return;
      node = this.#children[this.#rows[node]! + this.#columns[code]!]!;
      if (node === ROOT) return;
      at += step;
    }
  }

  /** Does the same on bytes in place. Returns false if they are not ASCII, when literals may have been missed. */
  findAt({ bytes, start, end: textEnd }: TextSpan, hit: (number: number) => void): boolean {
    const labels = this.#labels;
    const step = this.#backwards ? -1 : 1;
    let at = this.#backwards ? textEnd - 1 : start;
    let left = textEnd - start;
    for (let node = ROOT; ; ) {
      const end = this.#labelEnds[node]!;
      for (let i = this.#labelAts[node]!; i < end; i++) {
        if (left-- === 0) return true;
        const byte = bytes[at]!;
        if (byte >= 0x80) return false;
        if (byte !== labels[i]) return true;
        at += step;
      }
      this.#report(node, left, hit);
      if (left-- === 0 || this.#rows[node] === NONE) return true;
      const byte = bytes[at]!;
      if (byte >= 0x80) return false;
      node = this.#children[this.#rows[node]! + this.#columns[byte]!]!;
      if (node === ROOT) return true;
      at += step;
    }
  }

  some(text: string): boolean {
    this.#isFound = false;
    this.find(text, this.#found);
    return this.#isFound;
  }

  #report(node: number, left: number, hit: (number: number) => void): void {
    if (this.#prefixes[node] !== NONE) hit(this.#prefixes[node]!);
    if (left === 0 && this.#wholes[node] !== NONE) hit(this.#wholes[node]!);
  }
}

interface Node {
  readonly label: string;
  prefix: number;
  whole: number;
}

interface Edge {
  readonly from: number;
  readonly code: number;
  readonly to: number;
}

/** Sorted literals with a common start are adjacent: a node is a range of them. */
function grow(literals: readonly TrieLiteral[], backwards: boolean): { nodes: Node[]; edges: Edge[] } {
  const sorted = literals
    .map(({ text, whole, number }) => ({ text: backwards ? reversed(text) : text, whole, number }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  const nodes: Node[] = [];
  const edges: Edge[] = [];
  const open = [{ first: 0, end: sorted.length, depth: 0, from: NONE }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { end, depth, from } = next;
    let { first } = next;
    const { text } = sorted[first]!;
    const shared = sharedLength(text, sorted[end - 1]!.text);
    const node = { label: text.slice(depth, shared), prefix: NONE, whole: NONE };
    if (from !== NONE) edges.push({ from, code: text.charCodeAt(depth - 1), to: nodes.length });
    for (; first < end && sorted[first]!.text.length === shared; first++) {
      const { whole, number } = sorted[first]!;
      node[whole ? 'whole' : 'prefix'] = number;
    }
    while (first < end) {
      const code = sorted[first]!.text.charCodeAt(shared);
      const start = first;
      while (first < end && sorted[first]!.text.charCodeAt(shared) === code) first++;
      open.push({ first: start, end: first, depth: shared + 1, from: nodes.length });
    }
    nodes.push(node);
  }
  return { nodes, edges };
}

function sharedLength(first: string, second: string): number {
  let length = 0;
  while (length < first.length && first.charCodeAt(length) === second.charCodeAt(length)) length++;
  return length;
}

const reversed = (text: string): string => text.split('').reverse().join('');

/** Columns of a table by character, from 1 on; 0: the character has none. */
export interface Columns {
  /** By character; as long as the last character with a column, and at least as long as ASCII. */
  readonly list: Uint16Array;
  readonly width: number;
}

export function columnsOf(codes: readonly number[]): Columns {
  const list = new Uint16Array(codes.reduce((most, code) => Math.max(most, code), 0x7f) + 1);
  let width = 1;
  for (const code of codes) if (list[code] === 0) list[code] = width++;
  return { list, width };
}
