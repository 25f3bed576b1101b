import type { BpfMap, Mapping } from '@ringfence/libbpf-ts';
import { type LaneCounters, records } from '@ringfence/wire';

/** enum rf_drop, by the names that ticks and statistics use. */
export const DROP_CAUSES = [
  'ring_full',
  'read_fault',
  'self',
  'unwatched',
  'scratch',
  'merged',
  'owner',
  'throttled',
  'forgotten',
  'probe_rate',
] as const;
export type DropCause = (typeof DROP_CAUSES)[number];
const { LANES } = records.Lane;
const { FATES_MAX: FATES, KINDS_MAX: KINDS } = records.CountersLimit;
const { SEEN, SENT, DROPS, PASSED } = records.Fate;
const UNWATCHED = DROP_CAUSES.indexOf('unwatched');
const THROTTLED = DROPS + DROP_CAUSES.indexOf('throttled');
const RING_FULL = DROPS + DROP_CAUSES.indexOf('ring_full');

/** Names of enum rf_kind by number: `open`, `file_change`, … */
const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(records.Kind).map(([name, kind]) => [kind, name.toLowerCase()]),
);

/** Returns the name of a number of enum rf_kind: open, file_change, … */
export const kindNameOf = (kind: number): string => KIND_NAMES.get(kind) ?? String(kind);

/**
 * Event counts of one kind by outcome, over all CPUs. `seen` equals `sent` plus all drops except `read_fault`, as soon
 * as no event is being processed.
 */
export interface KindAccount {
  readonly lane: number;
  /** enum rf_kind in lower case */
  readonly kind: string;
  readonly seen: number;
  /** events written to the ring */
  readonly sent: number;
  /** by cause; causes that did not occur are absent */
  readonly drops: Readonly<Partial<Record<DropCause, number>>>;
}

/** Reads the sensor's sequence numbers and event counts from the mapped rf_counters. */
export class Counters implements Disposable {
  readonly #mapping: Mapping;
  readonly #words: Uint32Array;
  readonly #stride: number;
  readonly #cpus: number;

  /** @param map struct rf_counters by CPU */
  constructor(map: Pick<BpfMap, 'memory' | 'info'>) {
    this.#mapping = map.memory({ writable: false });
    this.#words = new Uint32Array(this.#mapping.buffer);
    this.#stride = map.info.valueSize;
    this.#cpus = map.info.maxEntries;
  }

  #read(cpu: number, byte: number): number {
    const word = (cpu * this.#stride + byte) / 4;
    return (this.#words[word] ?? 0) + (this.#words[word + 1] ?? 0) * 2 ** 32;
  }

  #fate(lane: number, cpu: number, kind: number, fate: number): number {
    return this.#read(cpu, records.COUNTERS_FATES + ((lane * KINDS + kind) * FATES + fate) * 8);
  }

  /** The last sequence number that a lane took on a CPU. */
  sequence(lane: number, cpu: number): number {
    return this.#read(cpu, records.COUNTERS_SEQUENCE + lane * 8);
  }

  /**
   * Sums up dropped events of all kinds by cause. Reads the words directly instead of calling `#fate`, because it runs
   * on each tick and 64 CPUs have 130,000 words.
   */
  drops(lane: number, cpu: number): Record<string, number> {
    const sums = new Float64Array(FATES);
    let word = (cpu * this.#stride + records.COUNTERS_FATES + lane * KINDS * FATES * 8) / 4;
    for (let kind = 0; kind < KINDS; kind++)
      for (let fate = 0; fate < FATES; fate++, word += 2)
        sums[fate] = (sums[fate] as number) + (this.#words[word] ?? 0) + (this.#words[word + 1] ?? 0) * 2 ** 32;
    const drops: Record<string, number> = {};
    for (const [index, cause] of DROP_CAUSES.entries()) {
      const passed = index === UNWATCHED ? (sums[PASSED] as number) : 0;
      const count = (sums[DROPS + index] as number) + passed;
      if (count > 0) drops[cause] = count;
    }
    return drops;
  }

  /**
   * Returns the counters of every lane and CPU that has counted anything.
   * @param addUserDrops adds what user space dropped, by cause
   */
  read(addUserDrops: (lane: number, cpu: number, drops: Record<string, number>) => void): LaneCounters[] {
    const counters: LaneCounters[] = [];
    for (let lane = 0; lane < LANES; lane++) {
      for (let cpu = 0; cpu < this.#cpus; cpu++) {
        const drops = this.drops(lane, cpu);
        addUserDrops(lane, cpu, drops);
        const sequence = this.sequence(lane, cpu);
        if (sequence > 0 || Object.keys(drops).length > 0) counters.push({ lane, cpu, sequence, drops });
      }
    }
    return counters;
  }

  /** Number of events that were throttled or found a full ring, over all lanes, CPUs and kinds. */
  get lost(): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.#cpus; cpu++)
      for (let kind = 0; kind < LANES * KINDS; kind++)
        for (const fate of [THROTTLED, RING_FULL])
          sum += this.#read(cpu, records.COUNTERS_FATES + (kind * FATES + fate) * 8);
    return sum;
  }

  /** Returns the accounts of every lane and kind of which any event was seen. */
  kinds(): KindAccount[] {
    const accounts: KindAccount[] = [];
    for (let lane = 0; lane < LANES; lane++) {
      for (const [number, kind] of KIND_NAMES) {
        const account = this.#account(lane, number, kind);
        if (account.seen > 0 || account.sent > 0 || Object.keys(account.drops).length > 0) accounts.push(account);
      }
    }
    return accounts;
  }

  #account(lane: number, number: number, kind: string): KindAccount {
    const sum = (fate: number): number => {
      let count = 0;
      for (let cpu = 0; cpu < this.#cpus; cpu++) count += this.#fate(lane, cpu, number, fate);
      return count;
    };
    // Read `seen` last: an event that arrives meanwhile then appears as being processed, never as sent but not seen.
    const passed = sum(PASSED);
    const drops: Partial<Record<DropCause, number>> = {};
    DROP_CAUSES.forEach((cause, index) => {
      const count = sum(DROPS + index) + (index === UNWATCHED ? passed : 0);
      if (count > 0) drops[cause] = count;
    });
    const sent = sum(SENT);
    return { lane, kind, seen: sum(SEEN) + passed, sent, drops };
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}
