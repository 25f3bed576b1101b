import { type ContainerDescription, type ContainerMount, takeWithin } from '@ringfence/host-kit';
import { NO_CONTAINER_DETAILS } from '@ringfence/wire';

/** Where the files of a host's runtimes are. */
export interface HostRoots {
  /** root of the host's file system, as the agent sees it */
  readonly root: string;
  /** additional data roots of Docker engines, as paths on the host */
  readonly dockerRoots: readonly string[];
}

export const EMPTY_DESCRIPTION: ContainerDescription = {
  name: '',
  image: '',
  privileged: null,
  labels: {},
  ...NO_CONTAINER_DETAILS,
};

const MOUNTS_MAX = 64;
/** An event must fit into a record of the bus, together with the batch whose last event it is. */
const MOUNTS_BYTES = 64 * 1024;
export const MAX_DIGESTS = 16;

/** Limits the mounts of a container to what fits into an event. */
export const limitMounts = (mounts: readonly ContainerMount[]): ContainerMount[] =>
  takeWithin(mounts.slice(0, MOUNTS_MAX), MOUNTS_BYTES, ({ source, destination }) => [source, destination]);

/**
 * Converts an RFC 3339 time to µs since the epoch. Returns 0 for other texts, and for the zero time that Go writes for
 * "never".
 */
export function microsOf(time: string): number {
  const milliseconds = Date.parse(time);
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds * 1000 : 0;
}

/** Returns algorithm and hash of an image reference or id, or '' if it has none. */
export const digestOf = (reference: string): string => /\bsha256:[0-9a-f]{64}\b/.exec(reference)?.[0] ?? '';
