/** Containers that were started without an engine: `ctr run`, `runc run`, `crun run`. */
import { join } from 'node:path';
import { asObject, asText, type ContainerDescription, readJson } from '@ringfence/host-kit';
import { containerdBundles } from '../runtimes/containerd.ts';
import type { HostRoots } from '../runtimes/description.ts';
import { describeSpec } from '../runtimes/oci.ts';
import { runcState } from '../runtimes/runc.ts';

/** An id that a runtime accepts, and that is not a step out of a directory. */
const ID = /^(?!\.{1,2}$)[\w+.-]{1,255}$/;
/** Depth to which a path is searched: the owner of a cgroup can create thousands of levels below it. */
const DEPTH_MAX = 32;
/** The name of a cgroup made by systemd has a prefix before the id. */
const SCOPE = /^(?:(?:runc|crun)-)?(.+?)(?:\.scope)?$/;

export interface UnmanagedContainer extends ContainerDescription {
  readonly id: string;
  readonly runtime: string;
}

/**
 * Returns the outermost container of a cgroup path in which no engine's form occurs. A cgroup can have any name, so the
 * runtime's files about the container must confirm that the cgroup belongs to it.
 */
export function findUnmanagedContainer(path: string, roots: HostRoots): UnmanagedContainer | null {
  const parts = path.split('/');
  for (const [index, part] of parts.slice(0, DEPTH_MAX).entries()) {
    if (!ID.test(part)) continue;
    const cgroup = parts.slice(0, index + 1).join('/');
    const container = findInContainerd(part, cgroup, roots) ?? findInRunc(part, cgroup, roots);
    if (container !== null) return container;
  }
  return null;
}

/** containerd writes the bundle before it creates the cgroup. */
function findInContainerd(id: string, cgroup: string, { root }: HostRoots): UnmanagedContainer | null {
  for (const bundle of containerdBundles(id, root)) {
    const spec = asObject(readJson(join(bundle, 'config.json')));
    if (asText(asObject(spec['linux'])['cgroupsPath'], 4096) !== cgroup) continue;
    const description = describeSpec(spec, root);
    if (description !== null) return { ...description, id, runtime: 'containerd' };
  }
  return null;
}

function findInRunc(part: string, cgroup: string, roots: HostRoots): UnmanagedContainer | null {
  const id = SCOPE.exec(part)?.[1] ?? part;
  const state = runcState(id, roots);
  if (state?.cgroup !== cgroup) return null;
  return { ...state.description, id, runtime: state.runtime };
}
