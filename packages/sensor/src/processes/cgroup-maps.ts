import type { BpfMap, BpfObject } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

/** struct rf_cgroup_made */
interface CreationValue {
  readonly ktime: bigint;
  readonly length: number;
  readonly path: Uint8Array;
}

/** Path and time of a cgroup's creation. */
export interface CgroupCreation {
  readonly path: string;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

/** The sensor's maps of cgroups: where they were created, and which of them belong to containers. */
export class CgroupMaps {
  readonly #creations: BpfMap;
  readonly #scopes: BpfMap<bigint, number>;

  constructor(object: BpfObject) {
    this.#creations = object.map('rf_cgroups');
    this.#scopes = object.map('rf_scopes') as BpfMap<bigint, number>;
  }

  /**
   * Works for removed cgroups too. Returns null for a cgroup that is older than the sensor, or evicted from the map.
   */
  creationOf(id: bigint): CgroupCreation | null {
    const value = this.#creations.get(id) as unknown as CreationValue | undefined;
    if (value === undefined || value.length >= value.path.length) return null;
    const path = Buffer.from(value.path).toString('utf8', 0, value.length);
    return { path, ktime: Number(value.ktime / 1000n) };
  }

  /** Tells the sensor whether a cgroup belongs to a container or to the host. Without this call it may be either. */
  setScope(id: bigint, isContainer: boolean): void {
    this.#scopes.set(id, isContainer ? records.Scope.CONTAINER : records.Scope.HOST);
  }
}
