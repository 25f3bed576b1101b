import { getSystemErrorName } from 'node:util';
import type { BpfObject, Mapping } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

/** Largest errno with a counter of its own. Larger ones share it. */
const ERRNO_LAST = records.FAILURES_FAILED_LENGTH / records.FAILURES_MADE_LENGTH - 1;

/** How often a helper of the kernel failed in the sensor. */
export interface HelperFailure {
  /** enum rf_place in lower case */
  readonly place: string;
  /** EFAULT, …; or `other` */
  readonly errno: string;
  readonly count: number;
}

/** A map of the sensor that was full and evicted its oldest entries. */
export interface Eviction {
  /** owners, merges_sec, … */
  readonly map: string;
  /** lower bound: entries added, minus entries removed, minus the map's capacity */
  readonly entries: number;
}

/** Maps for which the sensor counts added and removed entries. */
const COUNTED_MAPS = ['OWNERS', 'EXCHANGES', 'MERGES_SEC', 'MERGES_BULK', 'IO_REQUESTS', 'SHARES'] as const;

/** Reads from the mapped rf_failures where helpers failed and what maps evicted since the sensor was loaded. */
export class SensorFailures implements Disposable {
  readonly #mapping: Mapping;
  readonly #words: Uint32Array;
  readonly #capacities: ReadonlyMap<string, number>;

  constructor(object: Pick<BpfObject, 'map'>) {
    this.#mapping = object.map('rf_failures').memory({ writable: false });
    this.#words = new Uint32Array(this.#mapping.buffer);
    const capacityOf = (name: string): number => object.map(`rf_${name.toLowerCase()}`).info.maxEntries;
    this.#capacities = new Map(COUNTED_MAPS.map((name) => [name, capacityOf(name)]));
  }

  #read(byte: number, index: number): number {
    const word = byte / 4 + index * 2;
    return (this.#words[word] ?? 0) + (this.#words[word + 1] ?? 0) * 2 ** 32;
  }

  helpers(): HelperFailure[] {
    return Object.entries(records.Place).flatMap(([name, place]) =>
      Array.from({ length: ERRNO_LAST + 1 }, (_, errno) => ({
        place: name.toLowerCase(),
        errno: errno === 0 || errno === ERRNO_LAST ? 'other' : getSystemErrorName(-errno),
        count: this.#read(records.FAILURES_FAILED, place * (ERRNO_LAST + 1) + errno),
      })).filter(({ count }) => count > 0),
    );
  }

  evictions(): Eviction[] {
    return COUNTED_MAPS.map((name) => {
      const place = records.Place[name];
      const added = this.#read(records.FAILURES_MADE, place);
      const present = added - this.#read(records.FAILURES_REMOVED, place);
      return { map: name.toLowerCase(), entries: Math.max(0, present - (this.#capacities.get(name) ?? 0)) };
    }).filter(({ entries }) => entries > 0);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}
