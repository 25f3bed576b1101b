import { type EventView, type ProcessInfo, processLeaf } from '@ringfence/wire';
import { type Field, nonEmpty, ofContainer } from '../field.ts';
import { capabilityNames } from '../names/capabilities.ts';

/** Splits an image reference into repository and tag. A port in the registry's name is not a tag. */
function split(image: string): { readonly repository: string; readonly tag: string | undefined } {
  const name = image.split('@')[0] ?? image;
  const colon = name.lastIndexOf(':');
  return colon <= name.lastIndexOf('/')
    ? { repository: name, tag: undefined }
    : { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

type Details = NonNullable<EventView['container']>;

/** Reads a text of a known container; undefined when empty. */
const text = (name: 'imageId' | 'podUid' | 'serviceAccount') => (event: EventView) => nonEmpty(event.container?.[name]);
const list =
  (of: (container: Details) => readonly string[]) =>
  (event: EventView): readonly string[] | undefined => {
    const items = event.container === undefined ? [] : of(event.container);
    return items.length > 0 ? items : undefined;
  };
/** Reads the value from the agent's own field, or from the label in which earlier agents sent it. */
const orchestrated = (name: 'pod' | 'namespace', key: string) => (event: EventView) =>
  nonEmpty(event.container?.[name]) ?? event.container?.labels[key];
const namespaceOfHost = (name: string) => (event: EventView) => event.container?.namespaces.includes(`${name}=host`);

/** Returns how the process, or the ancestor that it descends from, entered the container. */
function entry(event: EventView): string | undefined {
  const { container, head } = event;
  if (container === undefined || container.namespaces.some((namespace) => namespace.startsWith('pid=')))
    return undefined;
  const inside = (process: ProcessInfo): boolean => head.containers[process.container]?.id === container.id;
  const line: ProcessInfo[] = [];
  let next = event.process;
  for (; next !== undefined && (line.length === 0 || inside(next)); next = next.parent) line.push(next);
  // The outermost processes can belong to the runtime: already in the cgroup, but not yet in the pid namespace.
  const outside = next?.long(processLeaf.namespaces.pid) ?? 0;
  const first = line.findLast((process) => process.long(processLeaf.namespaces.pid) !== outside);
  if (first === undefined) return undefined;
  if (first.long(processLeaf.namespaces.pidInNs) === 1) return 'entrypoint';
  return outside === 0 ? undefined : 'exec';
}

const image = (event: EventView): string | undefined => nonEmpty(event.container?.image);

export const containerFields: readonly Field[] = [
  {
    name: 'container.id',
    type: 'string',
    doc: 'Id of the container; absent on the host.',
    subject: ofContainer,
    get: (event) => event.container?.id,
  },
  {
    name: 'container.name',
    type: 'string',
    doc: 'Name of the container.',
    subject: ofContainer,
    get: (event) => nonEmpty(event.container?.name),
  },
  {
    name: 'container.image.name',
    type: 'string',
    doc: 'Image reference that was requested, with its tag.',
    aliases: ['container.image'],
    subject: ofContainer,
    get: image,
  },
  {
    name: 'container.image.repository',
    type: 'string',
    doc: 'Image without tag or digest.',
    subject: ofContainer,
    get: (event) => {
      const name = image(event);
      return name === undefined ? undefined : split(name).repository;
    },
  },
  {
    name: 'container.image.tag',
    type: 'string',
    doc: 'Tag of the image.',
    subject: ofContainer,
    get: (event) => {
      const name = image(event);
      return name === undefined ? undefined : split(name).tag;
    },
  },
  {
    name: 'container.runtime',
    type: 'string',
    doc: 'docker, containerd, podman, cri-o, …',
    aliases: ['container.type'],
    subject: ofContainer,
    get: (event) => nonEmpty(event.container?.runtime),
  },
  {
    name: 'container.security_context.privileged',
    type: 'bool',
    doc: 'Runs privileged; absent when unknown.',
    aliases: ['container.privileged'],
    subject: ofContainer,
    get: (event) => event.container?.privileged ?? undefined,
  },
  {
    name: 'container.labels',
    type: 'string',
    doc: 'Label by its key.',
    aliases: ['container.label'],
    argument: 'key',
    subject: ofContainer,
    get: (event, key) => event.container?.labels[String(key)],
  },
  {
    name: 'container.cgroup',
    type: 'string',
    doc: "Path of the container's cgroup.",
    subject: ofContainer,
    get: (event) => nonEmpty(event.container?.path),
  },
  {
    name: 'container.image.id',
    type: 'string',
    doc: "Hash of the image's configuration: sha256:…",
    subject: ofContainer,
    get: text('imageId'),
  },
  {
    name: 'container.image.hash.all',
    type: 'strings',
    doc: 'Digests of the image in registries: sha256:…; absent when it was built on the host.',
    aliases: ['container.image.digest'],
    subject: ofContainer,
    get: list(({ imageDigests }) => imageDigests),
  },
  {
    name: 'container.capabilities',
    type: 'strings',
    doc: 'Names of the capabilities that processes of the container can have; absent when unknown or none.',
    subject: ofContainer,
    get: list(({ capabilities }) => (capabilities === null ? [] : capabilityNames(capabilities))),
  },
  {
    name: 'container.mount.source',
    type: 'strings',
    doc: 'Paths of the host that are mounted into the container.',
    aliases: ['container.mounts'],
    subject: ofContainer,
    get: list(({ mounts }) => mounts.map(({ source }) => source)),
  },
  {
    name: 'container.mount.destination',
    type: 'strings',
    doc: 'Paths in the container where they are mounted.',
    aliases: ['container.mount.dest'],
    subject: ofContainer,
    get: list(({ mounts }) => mounts.map(({ destination }) => destination)),
  },
  {
    name: 'container.mount.writable',
    type: 'strings',
    doc: 'Paths of the host that the container can write to.',
    subject: ofContainer,
    get: list(({ mounts }) => mounts.filter(({ readonly }) => !readonly).map(({ source }) => source)),
  },
  {
    name: 'container.host_pid',
    type: 'bool',
    doc: "Shares the host's process numbers.",
    subject: ofContainer,
    get: namespaceOfHost('pid'),
  },
  {
    name: 'container.host_network',
    type: 'bool',
    doc: "Shares the host's network.",
    subject: ofContainer,
    get: namespaceOfHost('network'),
  },
  {
    name: 'container.host_ipc',
    type: 'bool',
    doc: "Shares the host's System V IPC and message queues.",
    subject: ofContainer,
    get: namespaceOfHost('ipc'),
  },
  {
    name: 'container.duration',
    type: 'number',
    doc: 'ns since the container was started; absent when unknown.',
    get: ({ container, timestamp }) =>
      container === undefined || container.startedAt === 0
        ? undefined
        : Math.max(0, timestamp - container.startedAt) * 1000,
  },
  {
    name: 'container.entry',
    type: 'string',
    doc: "How the process or its ancestor entered the container: entrypoint (the container's main program), exec (docker exec, kubectl exec, a health check); absent when unknown.",
    get: entry,
  },
  {
    name: 'orchestrator.namespace',
    type: 'string',
    doc: 'Kubernetes namespace.',
    aliases: ['k8s.ns.name'],
    subject: ofContainer,
    get: orchestrated('namespace', 'io.kubernetes.pod.namespace'),
  },
  {
    name: 'orchestrator.resource.name',
    type: 'string',
    doc: 'Kubernetes pod.',
    aliases: ['k8s.pod.name'],
    subject: ofContainer,
    get: orchestrated('pod', 'io.kubernetes.pod.name'),
  },
  {
    name: 'orchestrator.resource.id',
    type: 'string',
    doc: 'Uid of the Kubernetes pod.',
    aliases: ['k8s.pod.uid'],
    subject: ofContainer,
    get: text('podUid'),
  },
  {
    name: 'orchestrator.resource.label',
    type: 'string',
    doc: 'Label of the Kubernetes pod by its key.',
    aliases: ['k8s.pod.label'],
    argument: 'key',
    subject: ofContainer,
    get: (event, key) => event.container?.podLabels[String(key)],
  },
  {
    name: 'orchestrator.service_account',
    type: 'string',
    doc: 'Service account of the Kubernetes pod.',
    aliases: ['k8s.sa.name'],
    subject: ofContainer,
    get: text('serviceAccount'),
  },
];
