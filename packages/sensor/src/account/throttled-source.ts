import type { ContextSink, EnrichmentSource, LostCount } from '@ringfence/host-kit';
import type { BpfMap } from '@ringfence/libbpf-ts';
import { DROP_CAUSES, kindNameOf } from './counters.ts';

/** struct rf_throttled_key */
interface Key {
  readonly cgroup: bigint;
  readonly lane: number;
  readonly kind: number;
  readonly cause: number;
}

/** Losses of a cgroup in a lane. */
interface Flood {
  /** since the sensor was loaded */
  total: number;
  /** the last kind and cause that grew */
  last: LostCount;
  /** ticks since then; Infinity: its end was reported */
  quietTicks: number;
}

/** Ticks without a loss after which a flood is over. */
const TICKS_TO_END = 10;

export interface ThrottledDeps {
  readonly map: BpfMap;
  /** Returns the number of lost events of all cgroups */
  readonly total: () => number;
  /** Called with each cgroup before its counts are emitted */
  readonly onCgroup: (cgroup: bigint) => void;
  /** Returns '' if the cgroup is gone */
  readonly pathOf: (cgroup: bigint) => string;
}

/**
 * Reads rf_throttled. Emits on each tick how many events each cgroup lost since the previous one, and once the end of
 * its flood.
 */
export class ThrottledSource implements EnrichmentSource {
  readonly name = 'throttled';
  readonly #deps: ThrottledDeps;
  /** Total at the previous tick. */
  #previousTotal = 0;
  #changed = false;
  #sink: ContextSink | undefined;
  /** Counts that were emitted, by `cgroup/lane/kind/cause`. */
  readonly #emitted = new Map<string, number>();
  /** By `cgroup/lane`. */
  readonly #floods = new Map<string, Flood>();

  constructor(deps: ThrottledDeps) {
    this.#deps = deps;
  }

  read(): LostCount[] {
    return [...this.#deps.map.entries()].map(([key, count]) => {
      const { cgroup, lane, kind, cause } = key as unknown as Key;
      const name = DROP_CAUSES[cause] === 'ring_full' ? 'ring_full' : 'throttled';
      return { cgroup, lane, kind: kindNameOf(kind), cause: name, count: Number(count) };
    });
  }

  /** Events that were lost before this start are not emitted. They only appear in `read` and in totals. */
  start(sink: ContextSink): void {
    this.#sink = sink;
    for (const entry of this.read()) {
      this.#emitted.set(nameOf(entry), entry.count);
      this.#add(entry, entry.count).quietTicks = Number.POSITIVE_INFINITY;
    }
  }

  tick(): void {
    if (!this.#isUnchanged()) this.#emitGrown();
    for (const flood of this.#floods.values()) {
      if (++flood.quietTicks !== TICKS_TO_END) continue;
      flood.quietTicks = Number.POSITIVE_INFINITY;
      this.#emit({ ...flood.last, count: 0 }, flood, true);
    }
  }

  #emitGrown(): void {
    const grown = this.read()
      .map((entry) => ({ ...entry, count: entry.count - (this.#emitted.get(nameOf(entry)) ?? 0) }))
      .filter(({ count }) => count > 0);
    // Adds all kinds of a cgroup first, so that each of its events has the same total.
    const floods = grown.map((entry) => this.#add(entry, entry.count));
    for (const [index, entry] of grown.entries()) {
      const name = nameOf(entry);
      this.#emitted.set(name, (this.#emitted.get(name) ?? 0) + entry.count);
      this.#emit(entry, floods[index] as Flood, false);
    }
  }

  #add(entry: LostCount, count: number): Flood {
    const name = `${entry.cgroup}/${entry.lane}`;
    const flood = this.#floods.get(name) ?? { total: 0, last: entry, quietTicks: 0 };
    flood.total += count;
    flood.last = entry;
    flood.quietTicks = 0;
    this.#floods.set(name, flood);
    return flood;
  }

  #emit(entry: LostCount, { total }: Flood, over: boolean): void {
    this.#deps.onCgroup(entry.cgroup);
    this.#sink?.throttled({ ...entry, path: this.#deps.pathOf(entry.cgroup), total, over });
  }

  /**
   * The kernel adds to the total before it adds to the map. Therefore the map is read once more on the tick after the
   * last change of the total.
   */
  #isUnchanged(): boolean {
    const total = this.#deps.total();
    const unchanged = total === this.#previousTotal && !this.#changed;
    this.#changed = total !== this.#previousTotal;
    this.#previousTotal = total;
    return unchanged;
  }

  close(): void {}
}

const nameOf = ({ cgroup, lane, kind, cause }: LostCount): string => `${cgroup}/${lane}/${kind}/${cause}`;
