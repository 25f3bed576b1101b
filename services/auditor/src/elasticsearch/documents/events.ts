import { type Document, ECS_VERSION } from '@ringfence/ecs';
import { catalogue, documentOf, eventKinds } from '@ringfence/fields';
import { EventView, KIND } from '@ringfence/wire';

export interface EventDocument {
  readonly id: string;
  readonly document: Document;
}

/**
 * Returns a function that yields documents for executions and gaps, and for all events of a sample of the processes.
 * The selection depends only on identities, so every delivery of a batch stores the same events.
 */
export function createEventDocuments(sample: number): (payload: Uint8Array) => Generator<EventDocument> {
  const view = new EventView();
  const threshold = Math.floor(sample * 2 ** 32);
  return function* (payload) {
    view.open(payload);
    while (view.next()) {
      const { kind } = view.cursor;
      if (kind !== KIND.Exec && kind !== KIND.Gap && sampleHash(view) >= threshold) continue;
      yield { id: view.id, document: documentOfEvent(view) };
    }
  };
}

/** Returns a hash of the event's process from 0 to 2^32, or of the event itself when it has no process. */
function sampleHash(view: EventView): number {
  const { process } = view;
  return process === undefined ? hash(view.id) : Number.parseInt(process.entityId.slice(0, 8), 16);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

function documentOfEvent(view: EventView): Document {
  const kind = eventKinds.names[view.cursor.kind] ?? 'unknown';
  return {
    'ecs.version': ECS_VERSION,
    'event.kind': 'event',
    'event.module': 'ringfence',
    'event.dataset': 'ringfence.events',
    'event.action': kind,
    ...documentOf(view, catalogue.fields, kind),
  };
}
