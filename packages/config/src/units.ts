const DURATIONS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** Common spelling mistakes of units, with the correct unit. */
const DURATION_MISTAKES: Readonly<Record<string, string>> = {
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hour: 'h',
  hours: 'h',
  hr: 'h',
  day: 'd',
  days: 'd',
  M: 'm',
  S: 's',
  H: 'h',
  D: 'd',
  msec: 'ms',
  millis: 'ms',
};
const SIZE_MISTAKES: Readonly<Record<string, string>> = {
  b: 'B',
  k: 'KiB',
  K: 'KiB',
  kB: 'KiB',
  KB: 'KiB',
  kb: 'KiB',
  kib: 'KiB',
  Ki: 'KiB',
  m: 'MiB',
  M: 'MiB',
  MB: 'MiB',
  mb: 'MiB',
  mib: 'MiB',
  Mi: 'MiB',
  g: 'GiB',
  G: 'GiB',
  GB: 'GiB',
  gb: 'GiB',
  gib: 'GiB',
  Gi: 'GiB',
  T: 'TiB',
  TB: 'TiB',
  tb: 'TiB',
  Ti: 'TiB',
};

/** The value, or a description of the expected text. */
export type Parsed = { readonly value: number } | { readonly expected: string; readonly hint?: string };

interface Unit {
  readonly expected: string;
  readonly factors: Readonly<Record<string, number>>;
  readonly mistakes: Readonly<Record<string, string>>;
  /** the word for "no limit" */
  readonly endless: string;
}

const DURATION: Unit = {
  expected: 'a duration such as 500ms, 10s, 5m, 2h or 3d',
  factors: DURATIONS,
  mistakes: DURATION_MISTAKES,
  endless: 'forever',
};
const SIZE: Unit = {
  expected: 'a size such as 512KiB, 64MiB or 4GiB',
  factors: SIZES,
  mistakes: SIZE_MISTAKES,
  endless: 'unlimited',
};

function parse(text: string, unit: Unit, endless: boolean): Parsed {
  if (endless && text === unit.endless) return { value: Number.POSITIVE_INFINITY };
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s?([A-Za-z]*)$/.exec(text);
  if (match === null) return { expected: `${unit.expected}${endless ? `, or ${unit.endless}` : ''}` };
  const [, digits = '', name = ''] = match;
  if (name === '') return { expected: `${unit.expected}; a bare number has no unit` };
  const factor = unit.factors[name];
  if (factor !== undefined) return { value: Math.round(Number(digits) * factor) };
  const intended = unit.mistakes[name];
  return {
    expected: `${unit.expected}; there is no unit ${name}`,
    ...(intended === undefined ? {} : { hint: `did you mean ${digits}${intended}?` }),
  };
}

/** Parses a duration to ms. `endless` accepts `forever`, which is Infinity. */
export function parseDuration(text: string, endless = false): Parsed {
  return parse(text, DURATION, endless);
}

/** Parses a size to bytes. `endless` accepts `unlimited`, which is Infinity. */
export function parseSize(text: string, endless = false): Parsed {
  return parse(text, SIZE, endless);
}

/** Formats a value in the largest unit that needs no fraction. */
function format(value: number, unit: Unit): string {
  if (value === Number.POSITIVE_INFINITY) return unit.endless;
  const [name, factor] =
    Object.entries(unit.factors).findLast(([, size]) => value >= size && value % size === 0) ??
    Object.entries(unit.factors)[0]!;
  return `${value / factor}${name}`;
}

export function formatDuration(ms: number): string {
  return format(ms, DURATION);
}

export function formatSize(bytes: number): string {
  return format(bytes, SIZE);
}
