import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerMount, ContainerDescription } from '@ringfence/host-kit';
import { asLabels, asObject, asText, ifReadable, type Json } from '@ringfence/host-kit';
import { maskOf } from './capabilities.ts';
import { digestOf, NOTHING, someOf } from './description.ts';
import { first, podOf } from './kubernetes.ts';

const NAME_KEYS = [
  'io.kubernetes.cri.container-name',
  'io.kubernetes.cri-o.ContainerName',
  'io.kubernetes.container.name',
  'nerdctl/name',
];
const IMAGE_KEYS = [
  'io.kubernetes.cri.image-name',
  'io.kubernetes.cri-o.ImageName',
  'org.opencontainers.image.ref.name',
  'nerdctl/image',
];
const DIGEST_KEYS = ['io.kubernetes.cri-o.ImageRef', 'org.opencontainers.image.base.digest'];
const ID_KEYS = ['io.kubernetes.cri-o.Image', 'io.container.image.id'];
const OWN_KINDS = ['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2'];
/** By what a specification calls them, their files in /proc/PID/ns. */
const NAMESPACES = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', mount: 'mnt' } as const;
const OF_PROCESS = /^\/proc\/\d{1,10}\/ns\/\w+$/;

/** An OCI runtime specification. Privileged: may administer the system, and nothing of /proc is masked. */
export function describeSpec(spec: Json, root: string): ContainerDescription | null {
  const { process } = spec;
  if (process === undefined && spec['annotations'] === undefined) return null;
  const annotations = asObject(spec['annotations']);
  const sets = asObject(asObject(process)['capabilities']);
  const { maskedPaths } = asObject(spec['linux']);
  const effective = maskOf(list(sets['effective']));
  const mounts = mountsOf(list(spec['mounts']));
  const image = first(annotations, IMAGE_KEYS);
  return {
    ...NOTHING,
    name: first(annotations, NAME_KEYS),
    image,
    privileged: (effective & maskOf(['SYS_ADMIN'])) !== 0n && list(maskedPaths).length === 0,
    labels: asLabels(annotations),
    imageId: first(annotations, ID_KEYS),
    imageDigests: [digestOf(first(annotations, DIGEST_KEYS)) || digestOf(image)].filter((digest) => digest !== ''),
    capabilities: process === undefined ? null : maskOf(list(sets['bounding'])) | effective,
    mounts,
    namespaces: namespacesOf(list(asObject(spec['linux'])['namespaces']), root),
    ...podOf(annotations, mounts, root),
  };
}

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, 4096) : []);

function mountsOf(mounts: readonly unknown[]): ContainerMount[] {
  const kept = mounts
    .map(asObject)
    .filter((mount) => !OWN_KINDS.includes(asText(mount['type'])))
    .map((mount) => ({
      source: asText(mount['source'], 4096),
      destination: asText(mount['destination'], 4096),
      readonly: list(mount['options']).includes('ro'),
    }))
    .filter(({ source, destination }) => source.startsWith('/') && destination !== '');
  return someOf(kept);
}

/** One that isn't listed is the host's; one with a path was somebody else's before. Of the network every engine makes the path itself. */
function namespacesOf(listed: readonly unknown[], root: string): string[] {
  if (listed.length === 0) return [];
  const paths = new Map(listed.map(asObject).map((one) => [asText(one['type']), asText(one['path'], 4096)]));
  return Object.entries(NAMESPACES).flatMap(([name, file]) => {
    const path = paths.get(name);
    if (path === undefined || isHosts(path, file, root)) return [`${name}=host`];
    return path === '' || name === 'network' ? [] : [`${name}=shared`];
  });
}

/**
 * In a pod that shares the host's, containerd names that of the pod's first process. Where even root may not look at the host's first process, this
 * one stands for it: its numbers of processes are the host's, or none of them would fit.
 */
function isHosts(path: string, file: string, root: string): boolean {
  if (path === `/proc/1/ns/${file}`) return true;
  if (!OF_PROCESS.test(path)) return false;
  const inodeOf = (of: string): number | null => ifReadable(() => statSync(join(root, of)).ino);
  const one = inodeOf(path);
  return one !== null && one === (inodeOf(`/proc/1/ns/${file}`) ?? inodeOf(`/proc/self/ns/${file}`));
}
