/** A range of sequence numbers of a lane and CPU that have not arrived. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  /** Tick from which the range counts as lost; -1 when it was reported as lost. Its records may still arrive. */
  readonly due: number;
}

export interface SequenceState {
  /** All numbers up to this one have arrived, except for the holes. */
  readonly highest: number;
  readonly holes: readonly Hole[];
}

/** Neighbouring records may arrive in the wrong order, up to a poll interval apart. */
const SWAP_TICKS = 2;
/** A counter contains numbers whose records may not have been read from the ring yet. */
const DRAIN_TICKS = 5;
/** Holes that are kept for late records after they were reported as lost. */
const MAX_LOST = 64;
const MAX_HOLES = 4096;

/**
 * Tracks which sequence numbers of a lane and CPU have arrived: recognizes duplicates, in any order, and finds numbers
 * that never arrive. Bounded: of holes that were reported as lost, the newest 64 are kept, and the numbers of older
 * ones count as arrived. Beyond 4,096 holes, the two oldest are merged, with the numbers between them.
 */
export class SequenceTracker {
  #highest: number;
  #holes: Hole[];

  constructor(state: SequenceState = { highest: 0, holes: [] }) {
    this.#highest = state.highest;
    this.#holes = [...state.holes];
  }

  get state(): SequenceState {
    return { highest: this.#highest, holes: this.#holes };
  }

  /** Records the arrival of a number at tick `tick`. Returns false if the number is a duplicate. */
  see(sequence: number, tick: number): boolean {
    if (sequence === this.#highest + 1) {
      this.#highest = sequence;
      return true;
    }
    if (sequence > this.#highest) {
      this.#open(this.#highest + 1, sequence - 1, tick + SWAP_TICKS);
      this.#highest = sequence;
      return true;
    }
    return this.#fill(sequence, tick);
  }

  /** Records that the sender has used all numbers up to this one. */
  announce(sequence: number, tick: number): void {
    if (sequence <= this.#highest) return;
    this.#open(this.#highest + 1, sequence, tick + DRAIN_TICKS);
    this.#highest = sequence;
  }

  /** Returns the holes that count as lost from this tick on, each of them once. */
  takeLost(tick: number): Hole[] {
    const lost = this.#holes.filter(({ due }) => due >= 0 && due <= tick);
    if (lost.length === 0) return lost;
    let excess = this.#holes.filter(({ due }) => due <= tick).length - MAX_LOST;
    this.#holes = this.#holes.flatMap((hole) => {
      if (hole.due > tick) return [hole];
      return excess-- > 0 ? [] : [{ ...hole, due: -1 }];
    });
    return lost;
  }

  /** Merges the oldest holes, with the numbers between them, until at most `max` (1 or more) are left. */
  coarsen(max: number): void {
    const merged = this.#holes.slice(0, Math.max(0, this.#holes.length - max) + 1);
    if (merged.length < 2) return;
    const waiting = merged.map(({ due }) => due).filter((due) => due >= 0);
    const due = waiting.length === 0 ? -1 : Math.min(...waiting);
    this.#holes.splice(0, merged.length, { from: merged[0]!.from, to: merged.at(-1)!.to, due });
  }

  #open(from: number, to: number, due: number): void {
    this.#holes.push({ from, to, due });
    this.coarsen(MAX_HOLES);
  }

  #fill(sequence: number, tick: number): boolean {
    const at = this.#holes.findIndex(({ from, to }) => sequence >= from && sequence <= to);
    const hole = this.#holes[at];
    if (hole === undefined) return false;
    const parts: Hole[] = [];
    const passed = hole.due < 0 ? -1 : Math.min(hole.due, tick + SWAP_TICKS);
    if (sequence > hole.from) parts.push({ from: hole.from, to: sequence - 1, due: passed });
    if (sequence < hole.to) parts.push({ from: sequence + 1, to: hole.to, due: hole.due });
    this.#holes.splice(at, 1, ...parts);
    return true;
  }
}
