import { join } from 'node:path';
import type { ContainerDescription } from '@ringfence/host-kit';
import { asObject, asText, type Json, parseJson, readJson } from '@ringfence/host-kit';
import { digestOf, type HostPlaces, MAX_DIGESTS, microsOf, NOTHING } from './description.ts';
import { describeSpec, list } from './oci.ts';

/** Of root, as packages have it; CRI-O's bundles are in /run, Podman's in /var. */
const STORAGE = 'var/lib/containers/storage';
const RUN = 'run/containers/storage';

/** CRI-O and Podman share containers/storage: its list of containers has the names and the image's id, its list of images the digests. */
export function describePodman(id: string, places: HostPlaces): ContainerDescription | null {
  const { root } = places;
  const specIn = (storage: string): ContainerDescription | null =>
    describeSpec(asObject(readJson(join(root, storage, 'overlay-containers', id, 'userdata/config.json'))), root);
  const fromSpec = specIn(STORAGE) ?? specIn(RUN);
  const listed = listedIn(join(root, STORAGE, 'overlay-containers'), id);
  if (listed === undefined) return fromSpec;
  const known = fromSpec ?? NOTHING;
  const metadata = asObject(parseJson(asText(listed['metadata'], 65_536)));
  const imageId = asText(listed['image']);
  const image = imageIn(root, imageId);
  return {
    ...known,
    name: known.name || asText(metadata['name']) || asText(list(listed['names'])[0]),
    image: known.image || asText(metadata['image-name']),
    imageId: imageId === '' ? known.imageId : `sha256:${imageId.replace(/^sha256:/, '')}`,
    imageDigests: image.length > 0 ? image : known.imageDigests,
    startedAt: known.startedAt || microsOf(asText(listed['created'])),
  };
}

/** Those of `podman run --rm` may be in a list of their own. */
function listedIn(directory: string, id: string): Json | undefined {
  for (const name of ['containers.json', 'volatile-containers.json']) {
    const found = list(readJson(join(directory, name), 16 << 20))
      .map(asObject)
      .find((entry) => entry['id'] === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function imageIn(root: string, imageId: string): string[] {
  if (imageId === '') return [];
  const images = list(readJson(join(root, STORAGE, 'overlay-images/images.json'), 16 << 20)).map(asObject);
  const image = images.find((entry) => entry['id'] === imageId);
  const digests = [image?.['digest'], ...list(image?.['digests'])].map((digest) => digestOf(asText(digest)));
  return [...new Set(digests.filter((digest) => digest !== ''))].slice(0, MAX_DIGESTS);
}
