import { existsSync, statSync } from 'node:fs';
import { capabilityNames } from '@ringfence/fields';
import { BpfMap } from '@ringfence/libbpf-ts';
import { linkPath } from '@ringfence/sensor';
import { u64FromBigInt } from '@ringfence/wire';
import { Cgroups } from '../context/cgroups.ts';

/** What the sensor has seen of the use of capabilities, by cgroup. */
export interface CapabilityUse {
  /** ms since the epoch: what was used before is not known */
  readonly since: number;
  /** Names of those that processes in this cgroup or below it have used; `path` from the root of the hierarchy. */
  of(path: string): ReadonlySet<string>;
}

/** null: no agent's sensor is in the kernel, or the kernel has no tracepoint `cap_capable` (6.14). */
export function readCapabilityUse(pinPath: string): CapabilityUse | null {
  const pin = `${pinPath}/rf_used_caps`;
  if (!existsSync(pin) || !existsSync(linkPath(pinPath, 'cap_capable'))) return null;
  using map: BpfMap<bigint, bigint> = BpfMap.openPinned(pin);
  using tree = new Cgroups();
  const masks: { readonly path: string; readonly mask: bigint }[] = [];
  for (const [key, value] of map.entries()) {
    const path = tree.pathOf(key);
    if (path !== null) masks.push({ path, mask: value });
  }
  return {
    since: statSync(pin).ctimeMs,
    of(path) {
      const below = path.endsWith('/') ? path : `${path}/`;
      const own = masks.filter((one) => one.path === path || one.path.startsWith(below));
      return new Set(capabilityNames(u64FromBigInt(own.reduce((all, { mask }) => all | mask, 0n))));
    },
  };
}
