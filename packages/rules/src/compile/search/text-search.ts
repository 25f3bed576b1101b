import type { TextSpan } from '../../model/catalogue.ts';
import { TextTable } from './text-table.ts';
import { Trie } from './trie.ts';

/** A literal and where in a text it is searched: at its start, at its end, both, or anywhere. */
export interface Pattern {
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** Finds all of many patterns in a text. Only patterns that may be anywhere require reading all of it. */
export class TextSearch {
  readonly #starts: Trie | undefined;
  readonly #ends: Trie | undefined;
  readonly #anywhere: TextTable | undefined;

  private constructor(starts: Trie | undefined, ends: Trie | undefined, anywhere: TextTable | undefined) {
    this.#starts = starts;
    this.#ends = ends;
    this.#anywhere = anywhere;
  }

  /** Patterns must be distinct and not empty. Returns undefined if the search would be too large. */
  static build(patterns: readonly Pattern[]): TextSearch | undefined {
    const numbered = patterns.map(({ text, atStart, atEnd }, number) => ({
      text,
      atStart,
      atEnd,
      whole: atEnd,
      number,
    }));
    const atStart = numbered.filter((pattern) => pattern.atStart);
    const atEnd = numbered
      .filter((pattern) => !pattern.atStart && pattern.atEnd)
      .map((literal) => ({ ...literal, whole: false }));
    const anywhere = numbered.filter((pattern) => !pattern.atStart && !pattern.atEnd);
    const starts = atStart.length === 0 ? null : Trie.build(atStart);
    const ends = atEnd.length === 0 ? null : Trie.build(atEnd, true);
    const table = anywhere.length === 0 ? null : TextTable.build(anywhere);
    if (starts === undefined || ends === undefined || table === undefined) return undefined;
    return new TextSearch(starts ?? undefined, ends ?? undefined, table ?? undefined);
  }

  /** Calls `hit` with the index of each pattern found, perhaps several times. */
  find(text: string, hit: (index: number) => void): void {
    this.#starts?.find(text, hit);
    this.#ends?.find(text, hit);
    this.#anywhere?.find(text, hit);
  }

  /** Does the same on bytes in place. Returns false if they are not ASCII, when patterns may have been missed. */
  findAt(place: TextSpan, hit: (index: number) => void): boolean {
    return (
      (this.#starts === undefined || this.#starts.findAt(place, hit)) &&
      (this.#ends === undefined || this.#ends.findAt(place, hit)) &&
      (this.#anywhere === undefined || this.#anywhere.findAt(place, hit))
    );
  }
}
