import { join } from 'node:path';
import {
  asLabels,
  asObject,
  asText,
  type ContainerDescription,
  type ContainerMount,
  type Json,
  readJson,
} from '@ringfence/host-kit';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES, maskOf } from './capabilities.ts';
import { digestOf, EMPTY_DESCRIPTION, type HostRoots, limitMounts, MAX_DIGESTS, microsOf } from './description.ts';
import { podOf } from './kubernetes.ts';
import { asList } from './oci.ts';

/**
 * Reads the engine's own files. They contain the same as the engine's API, are available at once, and are written
 * before the container's first process starts.
 */
export function describeDocker(id: string, roots: HostRoots): ContainerDescription | null {
  for (const dataRoot of dataRoots(roots)) {
    const found = describeIn(join(roots.root, dataRoot), id, roots.root);
    if (found !== null) return found;
  }
  return null;
}

/** Given data roots, then that of the engine's settings, the default of the packages, and that of the snap. */
export function dataRoots({ root, dockerRoots }: HostRoots): string[] {
  const configured = asText(asObject(readJson(join(root, 'etc/docker/daemon.json')))['data-root'], 4096);
  const known = ['/var/lib/docker', '/var/snap/docker/common/var-lib-docker'];
  return [...dockerRoots, ...(configured === '' ? [] : [configured]), ...known];
}

function describeIn(dataRoot: string, id: string, root: string): ContainerDescription | null {
  const directory = join(dataRoot, 'containers', id);
  const file = asObject(readJson(`${directory}/config.v2.json`));
  if (file['Config'] === undefined) return null;
  const config = asObject(file['Config']);
  const host = asObject(readJson(`${directory}/hostconfig.json`));
  const { Privileged: privileged } = host;
  const labels = asObject(config['Labels']);
  const mounts = mountsOf(asObject(file['MountPoints']));
  const imageId = digestOf(asText(file['Image']));
  return {
    ...EMPTY_DESCRIPTION,
    name: asText(file['Name']).replace(/^\//, ''),
    image: asText(config['Image']),
    privileged: typeof privileged === 'boolean' ? privileged : null,
    labels: asLabels(labels),
    imageId,
    imageDigests: imageId === '' ? [] : digestsOf(dataRoot, asText(file['Driver']), imageId),
    capabilities: typeof privileged === 'boolean' ? capabilitiesOf(host, privileged) : null,
    mounts,
    namespaces: namespacesOf(host),
    ...podOf(labels, mounts, root),
    startedAt: microsOf(asText(asObject(file['State'])['StartedAt'])) || microsOf(asText(file['Created'])),
  };
}

function mountsOf(points: Json): ContainerMount[] {
  const mounts = Object.values(points)
    .map(asObject)
    .map((point) => ({
      source: asText(point['Source'], 4096),
      destination: asText(point['Destination'], 4096),
      readonly: point['RW'] === false,
    }))
    .filter(({ destination }) => destination !== '');
  return limitMounts(mounts);
}

/**
 * Computes the capabilities like the engine does: first those to drop, then those to add. ALL stands for all of them.
 */
function capabilitiesOf(host: Json, privileged: boolean): bigint {
  if (privileged) return ALL_CAPABILITIES;
  const [add, drop] = [asList(host['CapAdd']), asList(host['CapDrop'])].map((names) =>
    names.map((name) => String(name).toUpperCase()),
  ) as [string[], string[]];
  const all = (names: readonly string[]): boolean => names.includes('ALL') || names.includes('CAP_ALL');
  if (all(add)) return ALL_CAPABILITIES & ~maskOf(drop);
  return (all(drop) ? 0n : DEFAULT_CAPABILITIES & ~maskOf(drop)) | maskOf(add);
}

const MODES: Readonly<Record<string, string>> = {
  PidMode: 'pid',
  NetworkMode: 'network',
  IpcMode: 'ipc',
  UTSMode: 'uts',
};

function namespacesOf(host: Json): string[] {
  return Object.entries(MODES).flatMap(([key, name]) => {
    const mode = asText(host[key]);
    if (mode === 'host') return [`${name}=host`];
    return mode.startsWith('container:') ? [`${name}=shared`] : [];
  });
}

/** Returns the digests by which registries know the image. An image that was built or loaded locally has none. */
function digestsOf(dataRoot: string, driver: string, imageId: string): string[] {
  const path = join(dataRoot, 'image', /^[\w-]{1,64}$/.test(driver) ? driver : 'overlay2', 'repositories.json');
  const repositories = Object.values(asObject(asObject(readJson(path, 16 << 20))['Repositories']));
  const references = repositories.flatMap((repository) => Object.entries(asObject(repository)));
  const digests = references
    .filter(([, id]) => id === imageId)
    .map(([reference]) => digestOf(reference.split('@')[1] ?? ''));
  return [...new Set(digests.filter((digest) => digest !== ''))].slice(0, MAX_DIGESTS);
}
