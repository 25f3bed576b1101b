import { join } from 'node:path';
import { AuditReader } from '@ringfence/auditor';
import { type EventView, KIND, LANE, leafIndex } from '@ringfence/schema';
import { LOSSES } from './agent.ts';

const GAP = {
  lane: leafIndex('Gap', 'ofLane'),
  from: leafIndex('Gap', 'from'),
  to: leafIndex('Gap', 'to'),
};

/** Everything the kernel numbered, and what became of it. All but `duplicates` up to the last tick in the trail. */
export interface Account {
  readonly produced: number;
  /** in the audit trail, each number once */
  readonly stored: number;
  /** in the audit trail a second time */
  readonly duplicates: number;
  /** lost, as the sensor and the collector counted it */
  readonly counted: Readonly<Record<string, number>>;
  /** lost, as gap events of the trail name it */
  readonly named: number;
  /** produced − stored − counted */
  readonly unexplained: number;
}

/** Which numbers of a lane and CPU were seen: a bit each. */
class Seen {
  #bits = new Uint8Array(1 << 16);

  /** false: for the second time */
  add(sequence: number): boolean {
    const at = sequence >>> 3;
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
    for (let one = 1; one <= sequence; one++) if (((this.#bits[one >>> 3] ?? 0) & (1 << (one & 7))) !== 0) count++;
    return count;
  }
}

/** Counts the events in the audit trail of an agent that was stopped, one by one. */
export function accountOf(stateDir: string): Account {
  using trail = new AuditReader(join(stateDir, 'audit.db'));
  const seen = new Map<string, Seen>();
  let last: { readonly ktime: number; readonly lanes: EventView['head']['lanes'] } = { ktime: 0, lanes: [] };
  let duplicates = 0;
  let named = 0;
  for (const view of trail.events()) {
    const { cursor, head } = view;
    const { lane } = cursor;
    if (view.index === 0 && head.lanes.length > 0 && cursor.ktime > last.ktime)
      last = { ktime: cursor.ktime, lanes: head.lanes };
    if (lane === LANE.security || lane === LANE.bulk) {
      const key = `${lane}/${cursor.cpu}`;
      const numbers = seen.get(key) ?? new Seen();
      seen.set(key, numbers);
      if (!numbers.add(cursor.sequence)) duplicates++;
    } else if (cursor.kind === KIND.Gap && cursor.leafLong(GAP.lane) <= LANE.bulk) {
      named += cursor.leafLong(GAP.to) - cursor.leafLong(GAP.from) + 1;
    }
  }
  return sumUp(last.lanes, seen, duplicates, named);
}

function sumUp(
  lanes: EventView['head']['lanes'],
  seen: ReadonlyMap<string, Seen>,
  duplicates: number,
  named: number,
): Account {
  const kernel = lanes.filter(({ lane }) => lane <= LANE.bulk);
  const counted: Record<string, number> = {};
  let produced = 0;
  let stored = 0;
  for (const { lane, cpu, sequence, drops } of kernel) {
    produced += sequence;
    stored += seen.get(`${lane}/${cpu}`)?.upTo(sequence) ?? 0;
    for (const cause of LOSSES) {
      const lost = drops[cause] ?? 0;
      if (lost > 0) counted[cause] = (counted[cause] ?? 0) + lost;
    }
  }
  const explained = Object.values(counted).reduce((sum, lost) => sum + lost, stored);
  return { produced, stored, duplicates, counted, named, unexplained: produced - explained };
}
