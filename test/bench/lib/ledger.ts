import { LANE, type LaneCounters } from '@ringfence/wire';

/** Of the sensor's and the collector's causes those that stand for a record lost after it got its number. */
export const LOSSES: readonly string[] = ['ring_full', 'scratch', 'malformed', 'spool_full'];

/** Everything the kernel numbered, and what became of it. All but `duplicates` up to the last counters that are known. */
export interface Account {
  readonly produced: number;
  /** each number once */
  readonly stored: number;
  /** a second time */
  readonly duplicates: number;
  /** lost, as the sensor and the collector counted it */
  readonly counted: Readonly<Record<string, number>>;
  /** lost, as gap events name it */
  readonly named: number;
  /** produced − stored − counted: above 0 something was lost silently, below 0 something was counted that was not lost */
  readonly unexplained: number;
}

/** Which numbers of a lane and CPU were seen: a bit each. */
class Seen {
  #bits = new Uint8Array(1 << 16);

  /** false: for the second time */
  add(sequence: number): boolean {
    const at = Math.floor(sequence / 8);
    const bit = 1 << (sequence & 7);
    if (at >= this.#bits.length) {
      const more = new Uint8Array(Math.max(this.#bits.length * 2, at + 1));
      more.set(this.#bits);
      this.#bits = more;
    }
    const now = this.#bits[at] ?? 0;
    this.#bits[at] = now | bit;
    return (now & bit) === 0;
  }

  upTo(sequence: number): number {
    let count = 0;
    for (let one = 1; one <= sequence; one++)
      if (((this.#bits[Math.floor(one / 8)] ?? 0) & (1 << (one & 7))) !== 0) count++;
    return count;
  }
}

/** Keeps count of the kernel's lanes. */
export class Ledger {
  readonly #seen = new Map<string, Seen>();
  #lanes: readonly LaneCounters[] = [];
  #ktime = Number.NEGATIVE_INFINITY;
  #duplicates = 0;
  #named = 0;

  event(lane: number, cpu: number, sequence: number): void {
    const key = `${lane}/${cpu}`;
    const seen = this.#seen.get(key) ?? new Seen();
    this.#seen.set(key, seen);
    if (!seen.add(sequence)) this.#duplicates++;
  }

  /** Numbers `from` to `to`, both included, never arrived. */
  gap(from: number, to: number): void {
    this.#named += to - from + 1;
  }

  /** The latest ones count. */
  counters(ktime: number, lanes: readonly LaneCounters[]): void {
    if (lanes.length === 0 || ktime <= this.#ktime) return;
    this.#lanes = lanes;
    this.#ktime = ktime;
  }

  account(): Account {
    const counted: Record<string, number> = {};
    let produced = 0;
    let stored = 0;
    for (const { lane, cpu, sequence, drops } of this.#lanes) {
      if (lane > LANE.bulk) continue;
      produced += sequence;
      stored += this.#seen.get(`${lane}/${cpu}`)?.upTo(sequence) ?? 0;
      for (const cause of LOSSES) {
        const lost = drops[cause] ?? 0;
        if (lost > 0) counted[cause] = (counted[cause] ?? 0) + lost;
      }
    }
    const explained = Object.values(counted).reduce((sum, lost) => sum + lost, stored);
    const unexplained = produced - explained;
    return { produced, stored, duplicates: this.#duplicates, counted, named: this.#named, unexplained };
  }
}
