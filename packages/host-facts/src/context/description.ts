import type { ContainerMount, ContainerDescription } from '@ringfence/host-kit';
import { takeWithin } from '@ringfence/host-kit';

/** Where a host keeps what its runtimes write. */
export interface HostPlaces {
  /** the host's file system, as the agent sees it */
  readonly root: string;
  /** data roots of Docker engines besides the usual ones, as the host names them */
  readonly dockerRoots: readonly string[];
}

export const NOTHING: ContainerDescription = {
  name: '',
  image: '',
  privileged: null,
  labels: {},
  imageId: '',
  imageDigests: [],
  capabilities: null,
  mounts: [],
  namespaces: [],
  pod: '',
  podUid: '',
  namespace: '',
  serviceAccount: '',
  podLabels: {},
  startedAt: 0,
};

const MOUNTS_MAX = 64;
/** An event must fit a record of the bus, with the batch that it is the last of. */
const MOUNTS_BYTES = 64 * 1024;
export const MAX_DIGESTS = 16;

/** Of the mounts that a container's settings name, those that are told. */
export const someOf = (mounts: readonly ContainerMount[]): ContainerMount[] =>
  takeWithin(mounts.slice(0, MOUNTS_MAX), MOUNTS_BYTES, ({ source, destination }) => [source, destination]);

/** µs since the epoch of an RFC 3339 time; 0: it is none, or the zero time that Go writes for "never". */
export function microsOf(time: string): number {
  const milliseconds = Date.parse(time);
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds * 1000 : 0;
}

/** The algorithm and hash of an image reference or id; '' when it has none. */
export const digestOf = (reference: string): string => /\bsha256:[0-9a-f]{64}\b/.exec(reference)?.[0] ?? '';
