import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asObject, type ContainerDescription, ifReadable, readJson } from '@ringfence/host-kit';
import type { HostRoots } from './description.ts';
import { describeSpec } from './oci.ts';
import { describeRunc } from './runc.ts';

const TASKS = 'io.containerd.runtime.v2.task';
/** State directories: of the daemon, of Docker's own one, and of the distributions of Kubernetes that bring one. */
const STATES = ['containerd', 'docker/containerd/daemon', 'k3s/containerd', 'k0s/containerd'];
/** Folders with a bundle for each container, below the host's root. */
export const TASK_DIRECTORIES: readonly string[] = [
  ...STATES.map((state) => `run/${state}/${TASKS}`),
  `var/snap/microk8s/common/run/containerd/${TASKS}`,
];
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

/** Returns where a container with this id may have its bundle: in each namespace of each daemon. */
export function containerdBundles(id: string, root: string): string[] {
  const existing = TASK_DIRECTORIES.map((directory) => join(root, directory)).filter((path) => existsSync(path));
  return existing.flatMap((tasks) => bundlesIn(tasks, id));
}

function bundlesIn(tasks: string, id: string): string[] {
  const additional = (ifReadable(() => readdirSync(tasks)) ?? []).filter((name) => !NAMESPACES.includes(name));
  return [...NAMESPACES, ...additional.slice(0, MAX_NAMESPACES)].map((namespace) => join(tasks, namespace, id));
}
