export type Condition = () => boolean;

/** Samples after which the order is looked at. Then they count half: what was long ago says less. */
const REVIEWED = 32;
/** A new order must be expected to cost so much less: measuring is never exact, and an order that goes to and fro gains nothing. */
const WORTHWHILE = 0.9;
const FEW = 8;
const STEP = 1.05;
/** ns: below this, clocks tell nothing. */
const LEAST_COST = 2;

interface Measured {
  readonly decided: Float32Array;
  readonly costs: Float32Array;
  samples: number;
}

/**
 * Conditions of which all must hold, or any, asked one after the other until one decides. What comes of it doesn't depend on their order, so that this may
 * change between two events.
 */
export class Junction {
  /** as they were built */
  readonly parts: readonly Condition[];
  readonly condition: Condition;
  /** what a part comes to that decides: the others aren't asked then */
  readonly #decisive: boolean;
  /** the same parts as they are asked */
  readonly #asked: Condition[];
  /** by part: how many samples it would have decided, and its usual cost in ns; undefined: none was taken */
  #measured: Measured | undefined;

  constructor(kind: 'and' | 'or', parts: readonly Condition[]) {
    this.parts = parts;
    this.#decisive = kind === 'or';
    this.#asked = [...parts];
    this.condition = kind === 'and' ? all(this.#asked) : any(this.#asked);
  }

  /** The numbers of the parts as they are asked. */
  order(): number[] {
    return this.#asked.map((part) => this.parts.indexOf(part));
  }

  /** Takes a sample of all parts. `ask` answers what a part, by number, comes to and what this costs. */
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

  /** The least is expected when those come first that decide most for what they cost. */
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

/** The least of the first few, then a step towards the median: whoever takes the processor away between two looks at the clock would spoil a mean. */
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
