import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  asLabels,
  asObject,
  asText,
  type ContainerDescription,
  type ContainerMount,
  ifReadable,
  type Json,
} from '@ringfence/host-kit';
import { maskOf } from './capabilities.ts';
import { digestOf, EMPTY_DESCRIPTION, limitMounts } from './description.ts';
import { firstText, podOf } from './kubernetes.ts';

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
/** File systems that every container mounts for itself. */
const PRIVATE_FILESYSTEMS = ['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2'];
/** Names of namespaces in a specification, with their files in /proc/PID/ns. */
const NAMESPACES = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', mount: 'mnt' } as const;
const PROCESS_NAMESPACE = /^\/proc\/\d{1,10}\/ns\/\w+$/;

/**
 * Describes an OCI runtime specification. A container counts as privileged if it has CAP_SYS_ADMIN and no path in /proc
 * is masked.
 */
export function describeSpec(spec: Json, root: string): ContainerDescription | null {
  const { process } = spec;
  if (process === undefined && spec['annotations'] === undefined) return null;
  const annotations = asObject(spec['annotations']);
  const sets = asObject(asObject(process)['capabilities']);
  const { maskedPaths } = asObject(spec['linux']);
  const effective = maskOf(asList(sets['effective']));
  const mounts = mountsOf(asList(spec['mounts']));
  const image = firstText(annotations, IMAGE_KEYS);
  return {
    ...EMPTY_DESCRIPTION,
    name: firstText(annotations, NAME_KEYS),
    image,
    privileged: (effective & maskOf(['SYS_ADMIN'])) !== 0n && asList(maskedPaths).length === 0,
    labels: asLabels(annotations),
    imageId: firstText(annotations, ID_KEYS),
    imageDigests: [digestOf(firstText(annotations, DIGEST_KEYS)) || digestOf(image)].filter((digest) => digest !== ''),
    capabilities: process === undefined ? null : maskOf(asList(sets['bounding'])) | effective,
    mounts,
    namespaces: namespacesOf(asList(asObject(spec['linux'])['namespaces']), root),
    ...podOf(annotations, mounts, root),
  };
}

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, 4096) : []);

function mountsOf(mounts: readonly unknown[]): ContainerMount[] {
  const kept = mounts
    .map(asObject)
    .filter((mount) => !PRIVATE_FILESYSTEMS.includes(asText(mount['type'])))
    .map((mount) => ({
      source: asText(mount['source'], 4096),
      destination: asText(mount['destination'], 4096),
      readonly: asList(mount['options']).includes('ro'),
    }))
    .filter(({ source, destination }) => source.startsWith('/') && destination !== '');
  return limitMounts(kept);
}

/**
 * A namespace that is not listed is the host's; one with a path existed before. For the network, every engine passes a
 * path.
 */
function namespacesOf(listed: readonly unknown[], root: string): string[] {
  if (listed.length === 0) return [];
  const paths = new Map(listed.map(asObject).map((entry) => [asText(entry['type']), asText(entry['path'], 4096)]));
  return Object.entries(NAMESPACES).flatMap(([name, file]) => {
    const path = paths.get(name);
    if (path === undefined || isHostNamespace(path, file, root)) return [`${name}=host`];
    return path === '' || name === 'network' ? [] : [`${name}=shared`];
  });
}

/**
 * In a pod that shares the host's namespaces, containerd passes those of the pod's first process. If even root may not
 * inspect the host's pid 1, this process is compared instead: it shares the host's namespaces where pids are comparable
 * at all.
 */
function isHostNamespace(path: string, file: string, root: string): boolean {
  if (path === `/proc/1/ns/${file}`) return true;
  if (!PROCESS_NAMESPACE.test(path)) return false;
  const inodeOf = (link: string): number | null => ifReadable(() => statSync(join(root, link)).ino);
  const inode = inodeOf(path);
  return inode !== null && inode === (inodeOf(`/proc/1/ns/${file}`) ?? inodeOf(`/proc/self/ns/${file}`));
}
