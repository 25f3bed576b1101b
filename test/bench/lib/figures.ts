export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** `numbers` must not be empty. */
export function spreadOf(numbers: readonly number[]): Spread {
  return { min: Math.min(...numbers), median: percentile(numbers, 50), max: Math.max(...numbers) };
}

/** Returns the smallest of the numbers that `percent` of them do not exceed; NaN without numbers. */
export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export const count = (value: number): string => Math.round(value).toLocaleString('en');
export const thousands = (value: number): string => `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)} k`;
export const millis = (ms: number): string => (Number.isNaN(ms) ? '–' : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`);
export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
export const ratio = (value: number, base: number): string => (value / base).toFixed(2);

/** Returns `min · median · max`, or a single number alone. */
export function range(numbers: readonly number[], show: (value: number) => string): string {
  if (numbers.length === 0) return '–';
  const { min, median, max } = spreadOf(numbers);
  return numbers.length === 1 ? show(median) : `${show(min)} · ${show(median)} · ${show(max)}`;
}

/** Returns `p50 · p99 · max` of times in ms. */
export const latencies = (times: readonly number[]): string =>
  [50, 99, 100].map((share) => millis(percentile(times, share))).join(' · ');

export const sumOf = (numbers: Iterable<number>): number => {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
};
