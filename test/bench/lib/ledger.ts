import { LANE, type LaneCounters } from '@ringfence/wire';

/** Drop causes that mean the loss of a record that already had its number */
export const LOSSES: readonly string[] = ['ring_full', 'scratch', 'malformed', 'spool_full'];

/** The events that the kernel numbered, by what became of them; all but `duplicates` up to the last known counters. */
export interface Account {
  readonly produced: number;
  /** Without duplicates */
  readonly stored: number;
  /** Events stored again */
  readonly duplicates: number;
  /** Lost events by cause, as the sensor and the collector counted them */
  readonly counted: Readonly<Record<string, number>>;
  /** Lost events that gap events name */
  readonly named: number;
  /** produced − stored − counted: above 0, events were lost uncounted; below 0, stored events were counted as lost */
  readonly unexplained: number;
}

/** A growing bit set of sequence numbers */
class NumberSet {
  #bits = new Uint8Array(1 << 16);

  /** Returns false when the number was in the set. */
  add(sequence: number): boolean {
    const at = Math.floor(sequence / 8);
    const bit = 1 << (sequence & 7);
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(this.#bits.length * 2, at + 1));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    const byte = this.#bits[at] ?? 0;
    this.#bits[at] = byte | bit;
    return (byte & bit) === 0;
  }

  /** Returns how many numbers from 1 to `last` are in the set. */
  countUpTo(last: number): number {
    let count = 0;
    for (let sequence = 1; sequence <= last; sequence++)
      if (((this.#bits[Math.floor(sequence / 8)] ?? 0) & (1 << (sequence & 7))) !== 0) count++;
    return count;
  }
}

/** Balances the events of the kernel's lanes with the counters. */
export class Ledger {
  /** By `lane/cpu` */
  readonly #numbers = new Map<string, NumberSet>();
  #lanes: readonly LaneCounters[] = [];
  #ktime = Number.NEGATIVE_INFINITY;
  #duplicates = 0;
  #named = 0;

  event(lane: number, cpu: number, sequence: number): void {
    const key = `${lane}/${cpu}`;
    const numbers = this.#numbers.get(key) ?? new NumberSet();
    this.#numbers.set(key, numbers);
    if (!numbers.add(sequence)) this.#duplicates++;
  }

  /** Adds a gap event: the numbers `from` to `to`, inclusive, never arrived. */
  gap(from: number, to: number): void {
    this.#named += to - from + 1;
  }

  /** Adds a tick's counters. Only the latest ones are used. */
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
      stored += this.#numbers.get(`${lane}/${cpu}`)?.countUpTo(sequence) ?? 0;
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
