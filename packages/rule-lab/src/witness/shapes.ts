import type { Test } from '@ringfence/rules';
import type { EventView } from '@ringfence/wire';
import { regexMembers } from './regex-members.ts';

/**
 * Parts that a text needs to pass a comparison. They only guide the search: a joined text is compared before use.
 */
export interface Shape {
  /** The whole text. */
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly infixes?: readonly string[];
}

/** Values of a list that are tried. */
const TRIED = 48;
/** Characters of a text that is written out: a rule may ask for any length. */
const LONGEST = 65_536;

/** Returns a shape for each way to pass a comparison that is not negated. */
export function shapesOf(test: Test<EventView>): readonly Shape[] {
  const numeric = lengthShape(test);
  if (numeric !== undefined) return [numeric];
  if (test.operator === 'exists') return [{}];
  const plain = test.values.slice(0, TRIED).flatMap((value) => shapesOfValue(test.operator, String(value)));
  const last = test.operand.transforms.at(-1);
  if (last === 'base64') return plain.map((shape) => ({ exact: Buffer.from(textOf(shape)).toString('base64') }));
  return last === 'basename' ? plain.map(inLastComponent) : plain;
}

function shapesOfValue(operator: Test<unknown>['operator'], value: string): readonly Shape[] {
  switch (operator) {
    case 'equals':
      return [{ exact: value }];
    case 'startswith':
      return [{ prefix: value }];
    case 'endswith':
      return [{ suffix: value }];
    case 'contains':
      return [{ infixes: [value] }];
    case 'pathprefix':
      return value === '/' ? [{ prefix: '/' }] : [{ prefix: `${value}/` }, { exact: value }];
    case 'glob':
      return globShapes(value);
    case 'regex':
      return regexMembers(value).map(({ text, atStart, atEnd }) =>
        atStart && atEnd
          ? { exact: text }
          : atStart
            ? { prefix: text }
            : atEnd
              ? { suffix: text }
              : { infixes: [text] },
      );
    default:
      return [{}];
  }
}

function lengthShape({ operand, operator, values }: Test<EventView>): Shape | undefined {
  if (operand.transforms.at(-1) !== 'length') return undefined;
  const number = Number(values[0] ?? 0);
  if (!(number >= 0 && number <= LONGEST)) return {};
  if (operator === 'equals') return { exact: 'x'.repeat(number) };
  if (operator !== 'greater' && operator !== 'greaterOrEqual') return {};
  return { infixes: ['x'.repeat(number + 1)] };
}

/** Wildcards other than `*` become a character that they stand for. */
function globShapes(pattern: string): readonly Shape[] {
  const parts = [''];
  const add = (text: string): void => {
    parts[parts.length - 1] += text;
  };
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    const end = char === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (char === '*') parts.push('');
    else if (char === '?') add('x');
    else if (char === '\\' && i + 1 < pattern.length) add(pattern[++i]!);
    else if (end > 0) {
      add(/^\[[!^]/.test(pattern.slice(i)) ? 'x' : (pattern[i + 1] ?? 'x'));
      i = end;
    } else add(char);
  }
  const [prefix = '', ...rest] = parts;
  const suffix = rest.pop();
  if (suffix === undefined) return [{ exact: prefix }];
  const inside = rest.filter((part) => part !== '');
  const ends = { ...(prefix === '' ? {} : { prefix }), ...(suffix === '' ? {} : { suffix }) };
  if (inside.length < 2) return [{ ...ends, infixes: inside }];
  return ['', ' ', 'x'].map((between) => ({ ...ends, infixes: [inside.join(between)] }));
}

export const textOf = ({ exact, prefix = '', infixes = [], suffix = '' }: Shape): string =>
  exact ?? prefix + infixes.join('') + suffix;

/** Returns the shape of a path from that of its last component. */
export function inLastComponent({ exact, prefix, infixes = [], suffix }: Shape): Shape {
  if (exact !== undefined) return { suffix: `/${exact}` };
  return {
    infixes: [...(prefix === undefined ? [] : [`/${prefix}`]), ...infixes],
    ...(suffix === undefined ? {} : { suffix }),
  };
}

/** Returns the shape of a path from that of its directory. */
export function inDirectory({ exact, prefix, infixes = [], suffix }: Shape): Shape {
  if (exact !== undefined) return { prefix: `${exact === '/' ? '' : exact}/` };
  const more = suffix === undefined ? [] : [`${suffix}/`];
  return { infixes: [...infixes, ...more], ...(prefix === undefined ? {} : { prefix }) };
}

/** Returns the shape of a path from that of its extension. */
export function inExtension({ exact, prefix = '', suffix = '' }: Shape): Shape {
  return { suffix: `.${exact ?? prefix + suffix}` };
}

/** Returns a shape of the texts that both allow; undefined: they exclude each other. */
export function both(a: Shape, b: Shape): Shape | undefined {
  const exact = a.exact ?? b.exact;
  if (exact !== undefined) return b.exact === undefined || b.exact === exact ? { exact } : undefined;
  const prefix = longer(a.prefix, b.prefix, (long, short) => long.startsWith(short));
  const suffix = longer(a.suffix, b.suffix, (long, short) => long.endsWith(short));
  if (prefix === null || suffix === null) return undefined;
  const infixes = [...(a.infixes ?? []), ...(b.infixes ?? [])];
  return { ...(prefix === undefined ? {} : { prefix }), ...(suffix === undefined ? {} : { suffix }), infixes };
}

function longer(
  a: string | undefined,
  b: string | undefined,
  fits: (long: string, short: string) => boolean,
): string | undefined | null {
  if (a === undefined || b === undefined) return a ?? b;
  if (fits(a, b)) return a;
  return fits(b, a) ? b : null;
}

/** Combinations that are tried. */
const COMBINED = 2_000;

/** Yields shapes that satisfy one of each list, the first of all lists first. */
export function* combinations(lists: readonly (readonly Shape[])[]): Generator<Shape> {
  let left = COMBINED;
  function* from(index: number, shape: Shape): Generator<Shape> {
    const list = lists[index];
    if (list === undefined) {
      left--;
      yield shape;
      return;
    }
    for (const next of list) {
      const joined = both(shape, next);
      if (left <= 0) return;
      if (joined !== undefined) yield* from(index + 1, joined);
      else left--;
    }
  }
  yield* from(0, {});
}
