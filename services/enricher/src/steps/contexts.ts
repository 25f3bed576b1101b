import {
  type Container,
  type ContainerContext,
  decodePart,
  type Event,
  type EventCursor,
  KIND,
  leaf,
  typeOf,
  u64ToHex,
} from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';

const event = typeOf('Event');

const NAME_MAX = 512;
const PATH_MAX = 4096;
const MAX_LABELS = 64;
const MAX_MOUNTS = 64;
const MAX_ITEMS = 16;

/** Stores the context records of users, containers and the host itself. Mounts are only forwarded. */
export function noteContext(boot: Boot, cursor: EventCursor): void {
  if (cursor.kind === KIND.UserContext) {
    boot.contexts.setUser(
      cursor.leafLong(leaf.UserContext.uid),
      cursor.leafText(leaf.UserContext.name).slice(0, NAME_MAX),
    );
  } else if (cursor.kind === KIND.ContainerContext) noteContainer(boot, cursor);
  else if (cursor.kind === KIND.HostContext) boot.hashing = cursor.leafBoolean(leaf.HostContext.hashing);
}

function noteContainer(boot: Boot, cursor: EventCursor): void {
  const { value } = decodePart<Event>(event, cursor.buffer, cursor.eventAt);
  const context = (value.body as { 'ringfence.ContainerContext': ContainerContext })['ringfence.ContainerContext'];
  const container = bounded(context);
  boot.contexts.setContainer(u64ToHex(container.cgroupId), container, boot.tick);
}

const cut = (text: string): string => text.slice(0, NAME_MAX);
const cutLabels = (labels: { readonly [key: string]: string }): { [key: string]: string } =>
  Object.fromEntries(
    Object.entries(labels)
      .slice(0, MAX_LABELS)
      .map(([label, value]) => [cut(label), cut(value)]),
  );

/** Cuts long texts and lists, because every batch and alert of the container contains them. */
function bounded(context: ContainerContext): Container {
  const { privileged, capabilities, startedAt, described } = context;
  return {
    // A copy, because a view would keep the whole batch in memory.
    cgroupId: Buffer.from(context.cgroupId),
    id: cut(context.id),
    runtime: cut(context.runtime),
    name: cut(context.name),
    image: cut(context.image),
    privileged,
    labels: cutLabels(context.labels),
    path: context.path.slice(0, PATH_MAX),
    imageId: cut(context.imageId),
    imageDigests: context.imageDigests.slice(0, MAX_ITEMS).map(cut),
    capabilities: capabilities === null ? null : Buffer.from(capabilities),
    mounts: context.mounts.slice(0, MAX_MOUNTS).map(({ source, destination, readonly }) => ({
      source: source.slice(0, PATH_MAX),
      destination: destination.slice(0, PATH_MAX),
      readonly,
    })),
    namespaces: context.namespaces.slice(0, MAX_ITEMS).map(cut),
    pod: cut(context.pod),
    podUid: cut(context.podUid),
    namespace: cut(context.namespace),
    serviceAccount: cut(context.serviceAccount),
    podLabels: cutLabels(context.podLabels),
    startedAt,
    described,
  };
}
