import { getSystemErrorName } from 'node:util';
import type { BpfObject, Mapping } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

/** Longest errno that is told apart: what is higher is counted as this one. */
const ERRNO_LAST = records.FAILURES_FAILED_LENGTH / records.FAILURES_MADE_LENGTH - 1;

/** How often a helper of the kernel's failed in the sensor. */
export interface Failure {
  /** enum rf_place in lower case */
  readonly place: string;
  /** EFAULT, …; `other` */
  readonly errno: string;
  readonly count: number;
}

/** A map of the sensor that was full and forgot its oldest entries. */
export interface Forgotten {
  /** owners, merges_sec, … */
  readonly map: string;
  /** at least so many: entries made and not removed, beyond what the map holds */
  readonly entries: number;
}

/** Maps whose entries are counted as they are made and removed. */
const COUNTED = ['OWNERS', 'EXCHANGES', 'MERGES_SEC', 'MERGES_BULK', 'IO_REQUESTS', 'SHARES'] as const;

/** Where the sensor's helpers failed, and what its maps forgot, since it was loaded. */
export class Failures implements Disposable {
  readonly #mapping: Mapping;
  readonly #words: Uint32Array;
  readonly #sizes: ReadonlyMap<string, number>;

  constructor(object: Pick<BpfObject, 'map'>) {
    this.#mapping = object.map('rf_failures').memory({ writable: false });
    this.#words = new Uint32Array(this.#mapping.buffer);
    const sizeOf = (name: string): number => object.map(`rf_${name.toLowerCase()}`).info.maxEntries;
    this.#sizes = new Map(COUNTED.map((name) => [name, sizeOf(name)]));
  }

  #at(byte: number, index: number): number {
    const word = byte / 4 + index * 2;
    return (this.#words[word] ?? 0) + (this.#words[word + 1] ?? 0) * 2 ** 32;
  }

  failures(): Failure[] {
    return Object.entries(records.Place).flatMap(([name, place]) =>
      Array.from({ length: ERRNO_LAST + 1 }, (_, errno) => ({
        place: name.toLowerCase(),
        errno: errno === 0 || errno === ERRNO_LAST ? 'other' : getSystemErrorName(-errno),
        count: this.#at(records.FAILURES_FAILED, place * (ERRNO_LAST + 1) + errno),
      })).filter(({ count }) => count > 0),
    );
  }

  forgotten(): Forgotten[] {
    return COUNTED.map((name) => {
      const place = records.Place[name];
      const made = this.#at(records.FAILURES_MADE, place);
      const held = made - this.#at(records.FAILURES_REMOVED, place);
      return { map: name.toLowerCase(), entries: Math.max(0, held - (this.#sizes.get(name) ?? 0)) };
    }).filter(({ entries }) => entries > 0);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}
