import type { ContextSink, EnrichmentSource, ThrottledCount } from '@ringfence/host-kit';
import type { BpfMap } from '@ringfence/libbpf-ts';
import { kindNameOf } from './counters.ts';

/** struct rf_throttled_key */
interface Key {
  readonly cgroup: bigint;
  readonly lane: number;
  readonly kind: number;
}

/** Reads rf_throttled. Emits on each tick how many events were throttled since the previous one. */
export class ThrottledSource implements EnrichmentSource {
  readonly name = 'throttled';
  readonly #map: BpfMap;
  readonly #total: () => number;
  readonly #onCgroup: (cgroup: bigint) => void;
  /** Total at the previous tick. */
  #previousTotal = 0;
  #changed = false;
  #sink: ContextSink | undefined;
  /** Counts that were emitted, by `cgroup/lane/kind`. */
  readonly #emitted = new Map<string, number>();

  /**
   * @param total returns the number of throttled events of all cgroups
   * @param onCgroup called with each cgroup before its counts are emitted
   */
  constructor(map: BpfMap, total: () => number, onCgroup: (cgroup: bigint) => void) {
    this.#map = map;
    this.#total = total;
    this.#onCgroup = onCgroup;
  }

  read(): ThrottledCount[] {
    return [...this.#map.entries()].map(([key, count]) => {
      const { cgroup, lane, kind } = key as unknown as Key;
      return { cgroup, lane, kind: kindNameOf(kind), count: Number(count) };
    });
  }

  /** Events that were throttled before this start are not emitted. They only appear in `read`. */
  start(sink: ContextSink): void {
    this.#sink = sink;
    for (const entry of this.read()) this.#emitted.set(nameOf(entry), entry.count);
  }

  tick(): void {
    if (this.#isUnchanged()) return;
    for (const entry of this.read()) {
      const name = nameOf(entry);
      const count = entry.count - (this.#emitted.get(name) ?? 0);
      if (count <= 0) continue;
      this.#emitted.set(name, entry.count);
      this.#onCgroup(entry.cgroup);
      this.#sink?.throttled({ ...entry, count });
    }
  }

  /**
   * The kernel adds to the total before it adds to the map. Therefore the map is read once more on the tick after the
   * last change of the total.
   */
  #isUnchanged(): boolean {
    const total = this.#total();
    const unchanged = total === this.#previousTotal && !this.#changed;
    this.#changed = total !== this.#previousTotal;
    this.#previousTotal = total;
    return unchanged;
  }

  close(): void {}
}

const nameOf = ({ cgroup, lane, kind }: ThrottledCount): string => `${cgroup}/${lane}/${kind}`;
