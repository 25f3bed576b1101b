import type { EventView } from '../event-batch.ts';
import { type Field, some } from './field.ts';

/** Repository and tag of an image reference; a port in the registry's name is no tag. */
function split(image: string): { readonly repository: string; readonly tag: string | undefined } {
  const name = image.split('@')[0] ?? image;
  const colon = name.lastIndexOf(':');
  return colon <= name.lastIndexOf('/')
    ? { repository: name, tag: undefined }
    : { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

const image = (event: EventView): string | undefined => some(event.container?.image);
const label = (key: string) => (event: EventView) => event.container?.labels[key];

export const containerFields: readonly Field[] = [
  {
    name: 'container.id',
    type: 'string',
    doc: 'Id of the container; absent on the host.',
    get: (event) => event.container?.id,
  },
  {
    name: 'container.name',
    type: 'string',
    doc: 'Name of the container.',
    get: (event) => some(event.container?.name),
  },
  {
    name: 'container.image.name',
    type: 'string',
    doc: 'Image as it was asked for, with its tag.',
    aliases: ['container.image'],
    get: image,
  },
  {
    name: 'container.image.repository',
    type: 'string',
    doc: 'Image without tag or digest.',
    get: (event) => {
      const name = image(event);
      return name === undefined ? undefined : split(name).repository;
    },
  },
  {
    name: 'container.image.tag',
    type: 'string',
    doc: 'Tag of the image.',
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
    get: (event) => some(event.container?.runtime),
  },
  {
    name: 'container.security_context.privileged',
    type: 'bool',
    doc: 'Runs privileged; absent when unknown.',
    aliases: ['container.privileged'],
    get: (event) => event.container?.privileged ?? undefined,
  },
  {
    name: 'container.labels',
    type: 'string',
    doc: 'One label by its key.',
    aliases: ['container.label'],
    argument: 'key',
    get: (event, key) => event.container?.labels[String(key)],
  },
  {
    name: 'container.cgroup',
    type: 'string',
    doc: "Path of the container's cgroup.",
    get: (event) => some(event.container?.path),
  },
  {
    name: 'orchestrator.namespace',
    type: 'string',
    doc: 'Kubernetes namespace.',
    aliases: ['k8s.ns.name'],
    get: label('io.kubernetes.pod.namespace'),
  },
  {
    name: 'orchestrator.resource.name',
    type: 'string',
    doc: 'Kubernetes pod.',
    aliases: ['k8s.pod.name'],
    get: label('io.kubernetes.pod.name'),
  },
];
