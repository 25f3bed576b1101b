import { join } from 'node:path';
import type { ContainerDescription } from '@ringfence/host-kit';
import { asObject, asText, readJson } from '@ringfence/host-kit';
import { containerdBundles } from './containerd.ts';
import type { HostPlaces } from './description.ts';
import { describeSpec } from './oci.ts';
import { runcState } from './runc.ts';

/** A name that a runtime takes, and no step out of a directory. */
const ID = /^(?!\.{1,2}$)[\w+.-]{1,255}$/;
/** How deep a container may lie. Who owns a cgroup makes others below it, thousands deep, and each part of a path is asked about. */
const DEPTH_MAX = 32;

export interface FoundByHand extends ContainerDescription {
  readonly id: string;
  readonly runtime: string;
}

/**
 * The outermost container of a cgroup path that has no engine's form: `ctr run`, `runc run`, `crun run`. Anybody may call a cgroup anything, so the
 * container of that name must say itself that the cgroup is its own.
 */
export function containerByHand(path: string, places: HostPlaces): FoundByHand | null {
  const parts = path.split('/');
  for (const [index, part] of parts.slice(0, DEPTH_MAX).entries()) {
    if (!ID.test(part)) continue;
    const cgroup = parts.slice(0, index + 1).join('/');
    const found = ofContainerd(part, cgroup, places) ?? ofRunc(part, cgroup, places);
    if (found !== null) return found;
  }
  return null;
}

/** containerd's bundle is there before the cgroup. */
function ofContainerd(id: string, cgroup: string, { root }: HostPlaces): FoundByHand | null {
  for (const bundle of containerdBundles(id, root)) {
    const spec = asObject(readJson(join(bundle, 'config.json')));
    if (asText(asObject(spec['linux'])['cgroupsPath'], 4096) !== cgroup) continue;
    const description = describeSpec(spec, root);
    if (description !== null) return { ...description, id, runtime: 'containerd' };
  }
  return null;
}

/** What stands in front of the id where systemd makes the cgroup. */
const SCOPE = /^(?:(?:runc|crun)-)?(.+?)(?:\.scope)?$/;

function ofRunc(part: string, cgroup: string, places: HostPlaces): FoundByHand | null {
  const id = SCOPE.exec(part)?.[1] ?? part;
  const state = runcState(id, places);
  if (state?.cgroup !== cgroup) return null;
  return { ...state.description, id, runtime: state.runtime };
}
