/** Units with their length in µs, and the amount from which the next larger unit is used. */
const UNITS: readonly (readonly [name: string, micros: number, below: number])[] = [
  ['ns', 1e-3, 1000],
  ['µs', 1, 1000],
  ['ms', 1e3, 1000],
  ['s', 1e6, 120],
  ['min', 6e7, 120],
  ['h', 3.6e9, 48],
  ['d', 8.64e10, Number.POSITIVE_INFINITY],
];

/** Returns a duration for people, in about two digits: 1.3 ms, 12 s, 4 min, 3 h, 2 d. */
export function durationText(micros: number): string {
  if (micros === 0) return '0 s';
  // A difference between two clocks can be negative.
  if (micros < 0) return `-${durationText(-micros)}`;
  for (const [name, unit, below] of UNITS) {
    const amount = micros / unit;
    const shown = Number(amount.toFixed(amount < 9.95 ? 1 : 0));
    if (shown < below) return `${shown} ${name}`;
  }
  return 'for ever';
}
