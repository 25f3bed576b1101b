/** Sequence numbers of one lane and CPU that have not arrived. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  /** tick at which it counts as lost; -1: it has been judged, its records may still come late */
  readonly due: number;
}

export interface SequenceState {
  /** all up to it have been seen, but for the holes */
  readonly highest: number;
  readonly holes: readonly Hole[];
}

/** Neighbours may swap, and a poll interval may lie between them: a hole is judged at the second next tick. */
const SWAP_TICKS = 2;
/** A counter says what was taken, not what was drained: give the reader longer. */
const DRAIN_TICKS = 5;
/** Judged holes that are kept for late records, and holes in all. */
const MAX_JUDGED = 64;
const MAX_HOLES = 4096;

/**
 * What of one lane and CPU has arrived. Tells the first arrival of a number from its repetitions, in any order, and finds what never arrives.
 * Bounded: of judged holes the oldest is forgotten (what would have filled it counts as seen); beyond 4,096 holes the two oldest become one, with
 * the numbers between them.
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

  /** false: this number was seen before. `tick`: how many ticks there have been. */
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

  /** A counter says that numbers up to this one were taken. */
  announce(sequence: number, tick: number): void {
    if (sequence <= this.#highest) return;
    this.#open(this.#highest + 1, sequence, tick + DRAIN_TICKS);
    this.#highest = sequence;
  }

  /** Holes that count as lost from this tick on; each is told once. */
  judge(tick: number): Hole[] {
    const lost = this.#holes.filter(({ due }) => due >= 0 && due <= tick);
    if (lost.length === 0) return lost;
    let spare = this.#holes.filter(({ due }) => due <= tick).length - MAX_JUDGED;
    this.#holes = this.#holes.flatMap((hole) => {
      if (hole.due > tick) return [hole];
      return spare-- > 0 ? [] : [{ ...hole, due: -1 }];
    });
    return lost;
  }

  /** Makes at most `most` holes (one or more) of those that there are: the oldest become one, with the numbers between them. */
  coarsen(most: number): void {
    const merged = this.#holes.slice(0, Math.max(0, this.#holes.length - most) + 1);
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
