import { firstOf } from '../files.ts';

/** Where a host keeps what its runtimes write. */
export interface HostPlaces {
  /** the host's file system, as the agent sees it */
  readonly root: string;
  /** data roots of Docker engines besides the usual ones, as the host names them */
  readonly dockerRoots: readonly string[];
}

export interface ContainerMount {
  /** on the host; of a file system that is no part of another's, its kind: tmpfs */
  readonly source: string;
  /** in the container */
  readonly destination: string;
  readonly readonly: boolean;
}

/** What a container is, as its runtime wrote it down. Empty or null: not said. */
export interface Description {
  readonly name: string;
  /** as it was asked for */
  readonly image: string;
  readonly privileged: boolean | null;
  readonly labels: Readonly<Record<string, string>>;
  /** of the image's configuration: sha256:… */
  readonly imageId: string;
  /** of its manifest, as registries know it: sha256:… */
  readonly imageDigests: readonly string[];
  /** bit n: capability n may be had by a process of the container */
  readonly capabilities: bigint | null;
  /** what comes from outside of the image; what every container has (proc, sysfs, …) left out */
  readonly mounts: readonly ContainerMount[];
  /** those that are not its own: `pid=host`, `network=shared` */
  readonly namespaces: readonly string[];
  readonly pod: string;
  readonly podUid: string;
  /** of Kubernetes */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: Readonly<Record<string, string>>;
  /** µs since the epoch; 0: not said */
  readonly startedAt: number;
}

export const NOTHING: Description = {
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
  firstOf(mounts.slice(0, MOUNTS_MAX), MOUNTS_BYTES, ({ source, destination }) => [source, destination]);

/** µs since the epoch of an RFC 3339 time; 0: it is none, or the zero time that Go writes for "never". */
export function microsOf(time: string): number {
  const milliseconds = Date.parse(time);
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds * 1000 : 0;
}

/** The algorithm and hash of an image reference or id; '' when it has none. */
export const digestOf = (reference: string): string => /\bsha256:[0-9a-f]{64}\b/.exec(reference)?.[0] ?? '';
