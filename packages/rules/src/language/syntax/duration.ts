import { Fault } from '../../diagnostics/errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};
const LONGEST_DAYS = 7;

/** Parses a number and a unit, and returns µs. @throws Fault at `at` */
export function durationOf(text: string, at: number, longestDays: number = LONGEST_DAYS): number {
  const [, number = '', unit = ''] = /^(\d{1,12})([a-z]+)$/.exec(text) ?? [];
  const us = Object.hasOwn(UNITS, unit) ? Number(number) * UNITS[unit]! : 0;
  if (us >= 1 && us <= longestDays * UNITS['d']!) return us;
  throw new Fault(
    'duration',
    at,
    `expected a duration of up to ${longestDays}d, found '${text}'`,
    `Write a number and a unit: ${Object.keys(UNITS).join(', ')}.`,
  );
}
