import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerDescription } from '@ringfence/host-kit';
import { asObject, ifReadable, readJson } from '@ringfence/host-kit';
import type { HostPlaces } from './description.ts';
import { describeSpec } from './oci.ts';
import { describeRunc } from './runc.ts';

const TASKS = 'run/containerd/io.containerd.runtime.v2.task';
/** The usual ones are looked into first. */
const NAMESPACES = ['k8s.io', 'default', 'moby'];
const MAX_NAMESPACES = 64;

export function describeContainerd(id: string, places: HostPlaces): ContainerDescription | null {
  for (const bundle of containerdBundles(id, places.root)) {
    const found = describeSpec(asObject(readJson(join(bundle, 'config.json'))), places.root);
    if (found !== null) return found;
  }
  return describeRunc(id, places);
}

/** Where a container of this id might have its bundle: in each of containerd's namespaces. */
export function containerdBundles(id: string, root: string): string[] {
  const tasks = join(root, TASKS);
  const others = (ifReadable(() => readdirSync(tasks)) ?? []).filter((name) => !NAMESPACES.includes(name));
  return [...NAMESPACES, ...others.slice(0, MAX_NAMESPACES)].map((namespace) => join(tasks, namespace, id));
}
