import {
  type Container,
  type ContainerContext,
  decodePart,
  type Event,
  type EventCursor,
  KIND,
  leafIndex,
  typeOf,
  u64ToHex,
} from '@ringfence/schema';
import type { Boot } from '../state/boot.ts';

const uid = leafIndex('UserContext', 'uid');
const name = leafIndex('UserContext', 'name');
const event = typeOf('Event');

/** What the host says about its users and containers. Mounts only travel. */
export function noteContext(boot: Boot, cursor: EventCursor): void {
  if (cursor.kind === KIND.UserContext) boot.contexts.setUser(cursor.leafLong(uid), cursor.leafText(name));
  else if (cursor.kind === KIND.ContainerContext) noteContainer(boot, cursor);
}

function noteContainer(boot: Boot, cursor: EventCursor): void {
  const { value } = decodePart<Event>(event, cursor.buffer, cursor.eventAt);
  const context = (value.body as { 'ringfence.ContainerContext': ContainerContext })['ringfence.ContainerContext'];
  const { runtime, id, image, privileged, path, labels } = context;
  // The batch's buffer must not stay in memory for eight bytes of it.
  const cgroupId = Buffer.from(context.cgroupId);
  const container: Container = { cgroupId, id, runtime, name: context.name, image, privileged, labels, path };
  boot.contexts.setContainer(u64ToHex(cgroupId), container, boot.tick);
}
