import { readFileSync } from 'node:fs';
import { percentile } from './figures.ts';

/** Share of the CPU time stolen by the hypervisor above which a slice is measured again */
const STEAL_MAX = 0.02;
const ATTEMPTS = 4;
/** Confidence level of a median's interval */
const CONFIDENCE = 0.95;

/** Takes measurements, and repeats those during which the hypervisor stole too much CPU time. */
export class Slices {
  /** Number of discarded measurements */
  repeated = 0;

  async take<T>(measure: () => Promise<T>): Promise<T> {
    for (let remaining = ATTEMPTS; ; remaining--) {
      const before = cpuTicks();
      const result = await measure();
      const after = cpuTicks();
      const share = (after.stolen - before.stolen) / Math.max(1, after.all - before.all);
      if (share <= STEAL_MAX || remaining === 1) return result;
      this.repeated++;
    }
  }
}

function cpuTicks(): { readonly all: number; readonly stolen: number } {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').split(/\s+/);
  const ticks = fields.slice(0, 8).map(Number); // user nice system idle iowait irq softirq steal
  return { all: ticks.reduce((sum, number) => sum + number, 0), stolen: ticks[7] ?? 0 };
}

/**
 * Returns the ratio of each cost to the mean of the bare costs before and after it, so that slow drift cancels out.
 * `bare` has one number more than `costs`.
 */
export function ratios(costs: readonly number[], bare: readonly number[]): number[] {
  return costs.map((cost, i) => cost / (((bare[i] as number) + (bare[i + 1] as number)) / 2));
}

export interface Median {
  readonly median: number;
  /** Confidence interval: at least 95 % with six numbers or more, else the range of all numbers */
  readonly from: number;
  readonly to: number;
}

/** Returns the median and its confidence interval, without an assumption about the distribution of the numbers. */
export function medianOf(numbers: readonly number[]): Median {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = countToCut(sorted.length);
  return {
    median: percentile(sorted, 50),
    from: sorted[cut] ?? Number.NaN,
    to: sorted[sorted.length - 1 - cut] ?? Number.NaN,
  };
}

/** Returns how many of `count` numbers the interval leaves out at each end: each is below the median with chance ½. */
function countToCut(count: number): number {
  let chance = 0.5 ** count;
  let tail = chance;
  let cut = 0;
  while (tail + (chance * (count - cut)) / (cut + 1) <= (1 - CONFIDENCE) / 2) {
    chance *= (count - cut) / (cut + 1);
    tail += chance;
    cut++;
  }
  return cut;
}
