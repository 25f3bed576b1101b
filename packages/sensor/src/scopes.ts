import type { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

/** rf_scopes: tells the sensor which cgroups are containers', and which the host's. Of others it takes both for possible. */
export class Scopes {
  readonly #map: Pick<BpfMap<bigint, number>, 'set'>;

  constructor(map: Pick<BpfMap<bigint, number>, 'set'>) {
    this.#map = map;
  }

  set(cgroup: bigint, container: boolean): void {
    this.#map.set(cgroup, container ? records.Scope.CONTAINER : records.Scope.HOST);
  }
}
