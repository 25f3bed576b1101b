import { existsSync, statSync } from 'node:fs';
import { capabilityNames } from '@ringfence/fields';
import { BpfMap } from '@ringfence/libbpf-ts';
import { linkPath } from '@ringfence/sensor';
import { u64FromBigInt } from '@ringfence/wire';
import { Cgroups } from '../containers/cgroups.ts';

/** The capabilities that the sensor saw in use, by cgroup. */
export interface CapabilityUse {
  /** ms since the epoch; earlier use is not known */
  readonly since: number;
  /**
   * Returns the capabilities that processes in this cgroup or below it used.
   * @param path from the root of the hierarchy
   */
  of(path: string): ReadonlySet<string>;
}

/** Returns null if no agent's sensor is in the kernel, or if the kernel lacks the tracepoint `cap_capable` (6.14). */
export function readCapabilityUse(pinPath: string): CapabilityUse | null {
  const pin = `${pinPath}/rf_used_caps`;
  if (!existsSync(pin) || !existsSync(linkPath(pinPath, 'cap_capable'))) return null;
  using map: BpfMap<bigint, bigint> = BpfMap.openPinned(pin, { readonly: true });
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
      const matching = masks.filter((entry) => entry.path === path || entry.path.startsWith(below));
      return new Set(capabilityNames(u64FromBigInt(matching.reduce((all, { mask }) => all | mask, 0n))));
    },
  };
}
