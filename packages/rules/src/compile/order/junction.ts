export type Condition = () => boolean;

/** Samples after which the order is reviewed. Earlier samples then count half, because they are older. */
const REVIEWED = 32;
/**
 * A new order must be expected to cost this much less: measurements are inexact, and switching back and forth gains
 * nothing.
 */
const WORTHWHILE = 0.9;
const FEW = 8;
const STEP = 1.05;
/** Below this many ns a clock's resolution hides the cost. */
const LEAST_COST = 2;

interface Measured {
  readonly decided: Float32Array;
  readonly costs: Float32Array;
  samples: number;
}

/**
 * Conditions of which all must hold, or any, evaluated one after the other until one decides. The result does not
 * depend on their order, so the order may change between two events.
 */
export class Junction {
  /** In the order they were built. */
  readonly parts: readonly Condition[];
  readonly condition: Condition;
  /** The result of a part that decides: the remaining parts are skipped. */
  readonly #decisive: boolean;
  /** The same parts in the order of evaluation. */
  readonly #asked: Condition[];
  /** By part: how many samples it would have decided, and its usual cost in ns; undefined: no sample yet. */
  #measured: Measured | undefined;

  constructor(kind: 'and' | 'or', parts: readonly Condition[]) {
    this.parts = parts;
    this.#decisive = kind === 'or';
    this.#asked = [...parts];
    this.condition = kind === 'and' ? all(this.#asked) : any(this.#asked);
  }

  /** Returns the numbers of the parts in the order of evaluation. */
  order(): number[] {
    return this.#asked.map((part) => this.parts.indexOf(part));
  }

  /** Takes a sample of all parts. `ask` returns the result and the cost of a part, by number. */
  sample(ask: (part: Condition) => { readonly value: boolean; readonly ns: number }): void {
    const count = this.parts.length;
    this.#measured ??= { decided: new Float32Array(count), costs: new Float32Array(count), samples: 0 };
    const { decided, costs } = this.#measured;
    for (let i = 0; i < count; i++) {
      const { value, ns } = ask(this.parts[i]!);
      if (value === this.#decisive) decided[i]! += 1;
      costs[i] = towards(costs[i]!, Math.max(ns, LEAST_COST), this.#measured.samples);
    }
    if (++this.#measured.samples < REVIEWED) return;
    this.#review(this.#measured);
    for (let i = 0; i < count; i++) decided[i]! /= 2;
    this.#measured.samples /= 2;
  }

  /** Orders the parts by how much they decide for their cost, which minimizes the expected cost. */
  #review({ decided, costs, samples }: Measured): void {
    const share = (part: number): number => (decided[part]! + 0.5) / (samples + 1);
    const expected = (order: readonly number[]): number => {
      let sum = 0;
      let reached = 1;
      for (const part of order) {
        sum += reached * costs[part]!;
        reached *= 1 - share(part);
      }
      return sum;
    };
    const now = this.order();
    const best = now.toSorted((a, b) => costs[a]! / share(a) - costs[b]! / share(b));
    if (expected(best) >= expected(now) * WORTHWHILE) return;
    for (const [i, part] of best.entries()) this.#asked[i] = this.parts[part]!;
  }
}

/**
 * Returns the least of the first few samples, then steps towards the median: a preempted measurement would spoil a
 * mean.
 */
function towards(cost: number, sample: number, samples: number): number {
  if (samples < FEW) return samples === 0 ? sample : Math.min(cost, sample);
  return sample > cost ? Math.min(sample, cost * STEP) : Math.max(sample, cost / STEP);
}

/** `items` may change its order. */
function all(items: readonly Condition[]): Condition {
  if (items.length === 2) return () => items[0]!() && items[1]!();
  if (items.length === 3) return () => items[0]!() && items[1]!() && items[2]!();
  return () => {
    for (let i = 0; i < items.length; i++) if (!items[i]!()) return false;
    return true;
  };
}

function any(items: readonly Condition[]): Condition {
  if (items.length === 2) return () => items[0]!() || items[1]!();
  if (items.length === 3) return () => items[0]!() || items[1]!() || items[2]!();
  return () => {
    for (let i = 0; i < items.length; i++) if (items[i]!()) return true;
    return false;
  };
}
