import { BpfMap } from '@ringfence/libbpf-ts';
import { LANE, records } from '@ringfence/wire';

const namesOf = (numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(numbers).map(([name, number]) => [number, name.toLowerCase().replaceAll('_', ' ')]));
const KINDS = namesOf(records.Kind);
const CAUSES = namesOf(records.Drop);

/** Events of the security lane that one cgroup lost. */
export interface Losses {
  /** Those over its share, and those that found a full ring */
  readonly all: number;
  readonly ringFull: number;
  /** Numbers by kind, as a text */
  readonly text: string;
}

interface Key {
  readonly cgroup: bigint;
  readonly lane: number;
  readonly kind: number;
  readonly cause: number;
}

/** Reads the sensor's counters from its pinned map, because the agent may be too slow to answer. */
export class LossCounter implements Disposable {
  readonly #map: BpfMap<Key, bigint>;

  constructor(pinPath: string) {
    this.#map = BpfMap.openPinned<Key, bigint>(`${pinPath}/rf_throttled`);
  }

  lossesOf(id: bigint): Losses {
    const found = [...this.#map.entries()].filter(([{ cgroup, lane }]) => cgroup === id && lane === LANE.security);
    const sum = (entries: typeof found): number => entries.reduce((total, [, n]) => total + Number(n), 0);
    return {
      all: sum(found),
      ringFull: sum(found.filter(([{ cause }]) => cause === records.Drop.RING_FULL)),
      text: found.map(([{ kind, cause }, n]) => `${n} ${KINDS.get(kind)} (${CAUSES.get(cause)})`).join(', '),
    };
  }

  [Symbol.dispose](): void {
    this.#map[Symbol.dispose]();
  }
}
