import { join } from 'node:path';
import { asObject, asText, type ContainerDescription, type Json, parseJson, readJson } from '@ringfence/host-kit';
import { digestOf, EMPTY_DESCRIPTION, type HostRoots, MAX_DIGESTS, microsOf } from './description.ts';
import { asList, describeSpec } from './oci.ts';

/** Storage of root, as packages configure it. Bundles of CRI-O are in /run, those of Podman in /var. */
const STORAGE = 'var/lib/containers/storage';
const RUN = 'run/containers/storage';
/** Folders with a container's files, below the host's root. */
export const CONTAINERS_DIRECTORIES: readonly string[] = [`${STORAGE}/overlay-containers`, `${RUN}/overlay-containers`];

/**
 * Describes a container of CRI-O or Podman, which share containers/storage: its list of containers has names and image
 * ids, its list of images the digests.
 */
export function describePodman(id: string, roots: HostRoots): ContainerDescription | null {
  const { root } = roots;
  const specIn = (storage: string): ContainerDescription | null =>
    describeSpec(asObject(readJson(join(root, storage, 'overlay-containers', id, 'userdata/config.json'))), root);
  const fromSpec = specIn(STORAGE) ?? specIn(RUN);
  const listed = findEntry(join(root, STORAGE, 'overlay-containers'), id);
  if (listed === undefined) return fromSpec;
  const base = fromSpec ?? EMPTY_DESCRIPTION;
  const metadata = asObject(parseJson(asText(listed['metadata'], 65_536)));
  const imageId = asText(listed['image']);
  const digests = digestsIn(root, imageId);
  return {
    ...base,
    name: base.name || asText(metadata['name']) || asText(asList(listed['names'])[0]),
    image: base.image || asText(metadata['image-name']),
    imageId: imageId === '' ? base.imageId : `sha256:${imageId.replace(/^sha256:/, '')}`,
    imageDigests: digests.length > 0 ? digests : base.imageDigests,
    startedAt: base.startedAt || microsOf(asText(listed['created'])),
  };
}

/** Containers of `podman run --rm` may be in a list of their own. */
function findEntry(directory: string, id: string): Json | undefined {
  for (const name of ['containers.json', 'volatile-containers.json']) {
    const found = asList(readJson(join(directory, name), 16 << 20))
      .map(asObject)
      .find((entry) => entry['id'] === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function digestsIn(root: string, imageId: string): string[] {
  if (imageId === '') return [];
  const images = asList(readJson(join(root, STORAGE, 'overlay-images/images.json'), 16 << 20)).map(asObject);
  const image = images.find((entry) => entry['id'] === imageId);
  const digests = [image?.['digest'], ...asList(image?.['digests'])].map((digest) => digestOf(asText(digest)));
  return [...new Set(digests.filter((digest) => digest !== ''))].slice(0, MAX_DIGESTS);
}
