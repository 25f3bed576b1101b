/** Words of a command line, and where they stand. */
export interface Placed {
  /** Index of the first of `words`; any: wherever there is room. */
  readonly at: number | 'any';
  readonly words: readonly string[];
  /** A single argument: another constraint may not extend it. @default false */
  readonly whole?: boolean;
  /** Nothing follows. @default false */
  readonly last?: boolean;
  /** Words that stand anywhere, each list together. */
  readonly inside?: readonly (readonly string[])[];
  /** Words at the end. */
  readonly end?: readonly string[];
}

/** Combinations that are tried. */
const COMBINED = 400;

/** Yields lists of words that follow one placement of each list. @param name first word, unless one is placed there */
export function* wordsOf(name: string, lists: readonly (readonly Placed[])[]): Generator<readonly string[]> {
  let left = COMBINED;
  function* from(index: number, chosen: readonly Placed[]): Generator<readonly string[]> {
    const list = lists[index];
    if (list === undefined) {
      left--;
      yield build(name, chosen);
      return;
    }
    for (const placed of list) {
      if (left <= 0) return;
      yield* from(index + 1, [...chosen, placed]);
    }
  }
  yield* from(0, []);
}

function build(name: string, chosen: readonly Placed[]): readonly string[] {
  const words: (string | undefined)[] = [];
  const fixed = chosen.filter(({ at }) => at !== 'any').sort((a, b) => b.words.length - a.words.length);
  for (const { at, words: some } of fixed) for (const [i, word] of some.entries()) words[Number(at) + i] ??= word;
  words[0] ??= name;
  const line = Array.from(words, (word) => word ?? 'x');
  if (fixed.some(({ last }) => last === true)) return line;
  for (const { at, words: some, inside = [] } of chosen) {
    if (at === 'any' && !some.every((word) => line.includes(word))) line.push(...some);
    for (const part of inside) if (!line.join(' ').includes(part.join(' '))) line.push(...part);
  }
  const end = chosen.map(({ end: part = [] }) => part).sort((a, b) => b.length - a.length)[0] ?? [];
  if (end.length > 0 && !line.join(' ').endsWith(end.join(' '))) line.push(...end);
  return line;
}
