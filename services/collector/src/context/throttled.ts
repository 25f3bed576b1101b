import type { BpfMap } from '@ringfence/libbpf-ts';
import { kindNameOf } from '../sensor/counters.ts';
import type { ContextSink, EnrichmentSource } from './source.ts';

/** What of a cgroup was held back since the sensor was loaded. */
export interface ThrottledCount {
  readonly cgroup: bigint;
  readonly lane: number;
  /** enum rf_kind in lower case */
  readonly kind: string;
  readonly count: number;
}

/** struct rf_throttled_key */
interface Key {
  readonly cgroup: bigint;
  readonly lane: number;
  readonly kind: number;
}

/** Reads rf_throttled, and tells each second what was held back since. */
export class ThrottledSource implements EnrichmentSource {
  readonly name = 'throttled';
  readonly #map: BpfMap;
  readonly #seen: (cgroup: bigint) => void;
  #sink: ContextSink | undefined;
  /** told, by `cgroup/lane/kind` */
  readonly #told = new Map<string, number>();

  /** `seen`: is told of each cgroup before what is told of it */
  constructor(map: BpfMap, seen: (cgroup: bigint) => void) {
    this.#map = map;
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
    for (const one of this.read()) {
      const name = nameOf(one);
      const count = one.count - (this.#told.get(name) ?? 0);
      if (count <= 0) continue;
      this.#told.set(name, one.count);
      this.#seen(one.cgroup);
      this.#sink?.throttled({ ...one, count });
    }
  }

  close(): void {}
}

const nameOf = ({ cgroup, lane, kind }: ThrottledCount): string => `${cgroup}/${lane}/${kind}`;
