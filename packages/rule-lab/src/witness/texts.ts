import { combinations, type Shape } from './shapes.ts';

/** The texts to try before, between and after the parts of a shape. */
export interface Style {
  readonly glue: readonly string[];
  /** In front of a text whose start is free. */
  readonly starts: readonly string[];
  /** At the end of a text whose end is free. */
  readonly ends: readonly string[];
}

/** Folders that conditions rarely exclude all at once. */
const FOLDERS = [
  '/usr/bin/',
  '/opt/x/',
  '/tmp/',
  '/home/ann/',
  '/etc/',
  '/usr/sbin/',
  '/var/lib/x/',
  '/root/',
  '/srv/x/',
  '/data/',
  '/',
];
export const PATH: Style = { glue: ['', 'x', '/x', 'x/', '/'], starts: FOLDERS, ends: ['', 'x'] };
export const WORDS: Style = { glue: [' ', '', 'x', ' x '], starts: ['', 'x ', 'x'], ends: ['', ' x', 'x'] };

/** Texts that are tried. */
const TRIED = 3_000;

/** Yields texts of the shapes, one of each list. */
export function* textsOf(lists: readonly (readonly Shape[])[], style: Style): Generator<string> {
  let left = TRIED;
  for (const shape of combinations(lists))
    for (const text of textsOfShape(shape, style)) {
      if (left-- <= 0) return;
      yield text;
    }
}

function* textsOfShape(
  { exact, prefix, infixes = [], suffix }: Shape,
  { glue, starts, ends }: Style,
): Generator<string> {
  if (exact !== undefined) {
    yield exact;
    return;
  }
  for (const start of prefix === undefined ? starts : [prefix]) {
    for (const between of glue) {
      // A part that another one contains needs no place of its own.
      const body = infixes.reduce((text, part) => (text.includes(part) ? text : joinedTo(text, part, between)), start);
      // No path ends in a slash.
      const free = starts === FOLDERS && body.endsWith('/') ? ['x'] : ends;
      for (const end of suffix === undefined ? free : [''])
        yield (body.endsWith(suffix ?? '') ? body : joinedTo(body, suffix ?? '', between)) + end;
    }
  }
}

function joinedTo(text: string, part: string, between: string): string {
  if (text === '') return part;
  if (text.endsWith('/') && part.startsWith('/') && !between.includes('x')) return text + part.slice(1);
  if (text.endsWith('/') && part.startsWith('/')) return `${text}x${part}`;
  return `${text}${text.endsWith(between) ? '' : between}${part}`;
}
