import { readFileSync } from 'node:fs';
import { percentile } from './figures.ts';

/** Of both cores' time: more that the machine under this one gave to others makes a slice worthless. */
const STEAL_MAX = 0.02;
const TRIES = 4;
/** How sure the interval of a median is. */
const CONFIDENCE = 0.95;

/** What something costs, measured again while too much of the time was somebody else's. */
export class Slices {
  /** how many were thrown away */
  repeated = 0;

  async take<T>(measure: () => Promise<T>): Promise<T> {
    for (let left = TRIES; ; left--) {
      const before = cpuTicks();
      const found = await measure();
      const after = cpuTicks();
      const share = (after.stolen - before.stolen) / Math.max(1, after.all - before.all);
      if (share <= STEAL_MAX || left === 1) return found;
      this.repeated++;
    }
  }
}

function cpuTicks(): { readonly all: number; readonly stolen: number } {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').split(/\s+/);
  const ticks = fields.slice(0, 8).map(Number); // user nice system idle iowait irq softirq steal
  return { all: ticks.reduce((sum, one) => sum + one, 0), stolen: ticks[7] ?? 0 };
}

/** Each against the mean of its two neighbours, so that what changes slowly falls on both sides alike: `bare` has one more. */
export function ratios(costs: readonly number[], bare: readonly number[]): number[] {
  return costs.map((cost, i) => cost / (((bare[i] as number) + (bare[i + 1] as number)) / 2));
}

export interface Median {
  readonly median: number;
  /** in which it lies, with a certainty of at least 95 % when there are six numbers or more; all of them when there are fewer */
  readonly from: number;
  readonly to: number;
}

/** By the order of the numbers alone: they needn't be distributed in any way. */
export function medianOf(numbers: readonly number[]): Median {
  const sorted = [...numbers].sort((a, b) => a - b);
  const cut = outside(sorted.length);
  return {
    median: percentile(sorted, 50),
    from: sorted[cut] ?? Number.NaN,
    to: sorted[sorted.length - 1 - cut] ?? Number.NaN,
  };
}

/** How many of so many numbers may be left out at each end: of each the chance is one half that it is below the median. */
function outside(count: number): number {
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
