import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asObject, type ContainerDescription, ifReadable, readJson } from '@ringfence/host-kit';
import type { HostRoots } from './description.ts';
import { describeSpec } from './oci.ts';
import { describeRunc } from './runc.ts';

const TASKS = 'run/containerd/io.containerd.runtime.v2.task';
/** The common namespaces are searched first. */
const NAMESPACES = ['k8s.io', 'default', 'moby'];
const MAX_NAMESPACES = 64;

export function describeContainerd(id: string, roots: HostRoots): ContainerDescription | null {
  for (const bundle of containerdBundles(id, roots.root)) {
    const found = describeSpec(asObject(readJson(join(bundle, 'config.json'))), roots.root);
    if (found !== null) return found;
  }
  return describeRunc(id, roots);
}

/** Returns where a container with this id may have its bundle: in each of containerd's namespaces. */
export function containerdBundles(id: string, root: string): string[] {
  const tasks = join(root, TASKS);
  const additional = (ifReadable(() => readdirSync(tasks)) ?? []).filter((name) => !NAMESPACES.includes(name));
  return [...NAMESPACES, ...additional.slice(0, MAX_NAMESPACES)].map((namespace) => join(tasks, namespace, id));
}
