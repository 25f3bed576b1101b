import { join } from 'node:path';
import { asLabels, asObject, asText, type Json, readJson } from '../files.ts';

/** Where a host keeps what its runtimes write. */
export interface HostPlaces {
  /** the host's file system, as the agent sees it */
  readonly root: string;
  /** data roots of Docker engines besides the usual ones, as the host names them */
  readonly dockerRoots: readonly string[];
}

/** How a runtime's containers look in a cgroup path, and where it writes what they are. */
export interface Runtime {
  readonly name: string;
  /** matched against each component of the path; the first group is the container's id */
  readonly component: RegExp;
  /** matched against the whole path as well, when one component isn't enough */
  readonly path?: RegExp;
  describe(id: string, places: HostPlaces): Description | null;
}

export interface Description {
  readonly name: string;
  readonly image: string;
  readonly privileged: boolean | null;
  readonly labels: Readonly<Record<string, string>>;
}

const HEX = '([0-9a-f]{64})';

/** Asked in this order. */
export const runtimes: readonly Runtime[] = [
  { name: 'docker', component: new RegExp(`^docker-${HEX}\\.scope$`), describe: describeDocker },
  { name: 'docker', component: new RegExp(`^${HEX}$`), path: /\/docker\//, describe: describeDocker },
  { name: 'containerd', component: new RegExp(`^cri-containerd-${HEX}\\.scope$`), describe: describeContainerd },
  { name: 'containerd', component: new RegExp(`^nerdctl-${HEX}\\.scope$`), describe: describeContainerd },
  { name: 'containerd', component: new RegExp(`(?:^|:)cri-containerd:${HEX}$`), describe: describeContainerd },
  { name: 'cri-o', component: new RegExp(`^crio-${HEX}(?:\\.scope)?$`), describe: describePodman },
  { name: 'podman', component: new RegExp(`^libpod-${HEX}(?:\\.scope)?$`), describe: describePodman },
  { name: 'kubernetes', component: new RegExp(`^${HEX}$`), path: /\/kubepods/, describe: describeKubernetes },
  { name: 'lxc', component: /^lxc\.payload\.([\w.-]{1,128})$/, describe: () => null },
  { name: 'lxc', component: /^([\w.-]{1,128})$/, path: /^\/lxc\//, describe: () => null },
  { name: 'systemd-nspawn', component: /^systemd-nspawn@([\w.\\-]{1,128})\.service$/, describe: () => null },
  {
    name: 'systemd-nspawn',
    component: /^machine-([\w.\\-]{1,128})\.scope$/,
    path: /^\/machine\.slice\//,
    describe: () => null,
  },
  { name: 'containerd', component: new RegExp(`^${HEX}$`), describe: describeContainerd },
  { name: 'sandbox', component: /^(ringfence-demo-[\w.-]{1,128})$/, describe: () => null },
];

export interface Match {
  readonly runtime: Runtime;
  readonly id: string;
}

/** The outermost container that a cgroup path lies in. */
export function matchRuntime(path: string): Match | null {
  for (const component of path.split('/')) {
    for (const runtime of component === '' ? [] : runtimes) {
      const id = runtime.component.exec(component)?.[1];
      if (id === undefined || !(runtime.path?.test(path) ?? true)) continue;
      if (runtime.name === 'lxc' && component === 'lxc') continue;
      return { runtime, id };
    }
  }
  return null;
}

function describeDocker(id: string, places: HostPlaces): Description | null {
  for (const dataRoot of [...places.dockerRoots, ...usualDockerRoots(places.root)]) {
    const found = describeDockerIn(join(places.root, dataRoot, 'containers', id));
    if (found !== null) return found;
  }
  return null;
}

/** Of Debian's, Docker's and RedHat's packages, and of the snap; or where the engine's own settings say. */
function usualDockerRoots(root: string): string[] {
  const configured = asText(asObject(readJson(join(root, 'etc/docker/daemon.json')))['data-root'], 4096);
  return [...(configured === '' ? [] : [configured]), '/var/lib/docker', '/var/snap/docker/common/var-lib-docker'];
}

function describeDockerIn(directory: string): Description | null {
  const file = asObject(readJson(`${directory}/config.v2.json`));
  const config = asObject(file['Config']);
  if (file['Config'] === undefined) return null;
  const privileged = asObject(readJson(`${directory}/hostconfig.json`))['Privileged'];
  return {
    name: asText(file['Name']).replace(/^\//, ''),
    image: asText(config['Image']),
    privileged: typeof privileged === 'boolean' ? privileged : null,
    labels: asLabels(config['Labels']),
  };
}

const CONTAINERD_NAMESPACES = ['k8s.io', 'default', 'moby'];

function describeContainerd(id: string, places: HostPlaces): Description | null {
  for (const namespace of CONTAINERD_NAMESPACES) {
    const bundle = join(places.root, 'run/containerd/io.containerd.runtime.v2.task', namespace, id);
    const found = describeSpec(asObject(readJson(`${bundle}/config.json`)));
    if (found !== null) return found;
  }
  return describeRunc(id, places);
}

function describeKubernetes(id: string, places: HostPlaces): Description | null {
  return describeContainerd(id, places) ?? describePodman(id, places) ?? describeDocker(id, places);
}

/** CRI-O and Podman share containers/storage; Podman's names are in its list of containers. CRI-O's bundle is in /run, Podman's in /var. */
function describePodman(id: string, places: HostPlaces): Description | null {
  const specIn = (storage: string): Description | null =>
    describeSpec(asObject(readJson(join(places.root, storage, 'overlay-containers', id, 'userdata/config.json'))));
  const fromSpec = specIn('var/lib/containers/storage') ?? specIn('run/containers/storage');
  const list = readJson(join(places.root, 'var/lib/containers/storage/overlay-containers/containers.json'), 16 << 20);
  const listed = Array.isArray(list) ? list.map(asObject).find((entry) => entry['id'] === id) : undefined;
  if (listed === undefined) return fromSpec;
  const metadata = parse(asText(listed['metadata'], 65_536));
  const names = Array.isArray(listed['names']) ? listed['names'] : [];
  return {
    name: fromSpec?.name || asText(metadata['name']) || asText(names[0]),
    image: fromSpec?.image || asText(metadata['image-name']),
    privileged: fromSpec?.privileged ?? null,
    labels: fromSpec?.labels ?? {},
  };
}

/** runc's own state points at the bundle, whose config.json is the OCI specification. */
function describeRunc(id: string, places: HostPlaces): Description | null {
  const state = asObject(readJson(join(places.root, 'run/runc', id, 'state.json')));
  const labels = asObject(state['config'])['labels'];
  const bundle = (Array.isArray(labels) ? labels : [])
    .map((label) => asText(label))
    .find((label) => label.startsWith('bundle='))
    ?.slice('bundle='.length);
  return bundle === undefined ? null : describeSpec(asObject(readJson(join(places.root, bundle, 'config.json'))));
}

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

/** An OCI runtime specification. Privileged: may administer the system, and nothing of /proc is masked. */
function describeSpec(spec: Json): Description | null {
  if (spec['process'] === undefined && spec['annotations'] === undefined) return null;
  const annotations = asLabels(spec['annotations']);
  const effective = asObject(asObject(spec['process'])['capabilities'])['effective'];
  const masked = asObject(spec['linux'])['maskedPaths'];
  const administers = Array.isArray(effective) && effective.includes('CAP_SYS_ADMIN');
  return {
    name: first(annotations, NAME_KEYS),
    image: first(annotations, IMAGE_KEYS),
    privileged: administers && !(Array.isArray(masked) && masked.length > 0),
    labels: annotations,
  };
}

function first(from: Readonly<Record<string, string>>, keys: readonly string[]): string {
  return keys.map((key) => from[key]).find((value) => value !== undefined) ?? '';
}

function parse(text: string): Json {
  try {
    return asObject(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
