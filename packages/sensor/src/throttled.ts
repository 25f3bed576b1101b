import type { ContextSink, EnrichmentSource, ThrottledCount } from '@ringfence/host-kit';
import type { BpfMap } from '@ringfence/libbpf-ts';
import { kindNameOf } from './counters.ts';

/** struct rf_throttled_key */
interface Key {
  readonly cgroup: bigint;
  readonly lane: number;
  readonly kind: number;
}

/** Reads rf_throttled, and tells with each tick what was held back since. */
export class ThrottledSource implements EnrichmentSource {
  readonly name = 'throttled';
  readonly #map: BpfMap;
  readonly #total: () => number;
  readonly #seen: (cgroup: bigint) => void;
  /** of all cgroups, at the tick before this one */
  #before = 0;
  #changed = false;
  #sink: ContextSink | undefined;
  /** told, by `cgroup/lane/kind` */
  readonly #told = new Map<string, number>();

  /** `total`: how much was held back in all. `seen`: is told of each cgroup before what is told of it */
  constructor(map: BpfMap, total: () => number, seen: (cgroup: bigint) => void) {
    this.#map = map;
    this.#total = total;
    this.#seen = seen;
  }

  read(): ThrottledCount[] {
    return [...this.#map.entries()].map(([key, count]) => {
      const { cgroup, lane, kind } = key as unknown as Key;
      return { cgroup, lane, kind: kindNameOf(kind), count: Number(count) };
    });
  }

  /** What was counted before this start is in the account only. */
  start(sink: ContextSink): void {
    this.#sink = sink;
    for (const one of this.read()) this.#told.set(nameOf(one), one.count);
  }

  tick(): void {
    if (this.#isAsBefore()) return;
    for (const one of this.read()) {
      const name = nameOf(one);
      const count = one.count - (this.#told.get(name) ?? 0);
      if (count <= 0) continue;
      this.#told.set(name, one.count);
      this.#seen(one.cgroup);
      this.#sink?.throttled({ ...one, count });
    }
  }

  /** The kernel counts in all first, then by cgroup: what it is at just now is in the map by the next tick, so after a change that is read once more. */
  #isAsBefore(): boolean {
    const total = this.#total();
    const quiet = total === this.#before && !this.#changed;
    this.#changed = total !== this.#before;
    this.#before = total;
    return quiet;
  }

  close(): void {}
}

const nameOf = ({ cgroup, lane, kind }: ThrottledCount): string => `${cgroup}/${lane}/${kind}`;
