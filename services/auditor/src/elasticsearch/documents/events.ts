import { type Ancestor, analyzerFields, type Document, ECS_VERSION, entryLeaderFields } from '@ringfence/ecs';
import { catalogue, documentOf, eventKinds } from '@ringfence/fields';
import { EventView, KIND, type ProcessInfo } from '@ringfence/wire';

/** Upper bound for a chain of parents. */
const MAX_ANCESTORS = 64;

export interface EventDocument {
  readonly id: string;
  readonly document: Document;
}

/**
 * Returns a function that yields documents for executions and gaps, and for all events of a sample of the processes.
 * The selection depends only on identities, so every delivery of a batch stores the same events.
 */
export function createEventDocuments(
  sample: number,
  analyzer = false,
): (payload: Uint8Array) => Generator<EventDocument> {
  const view = new EventView();
  const threshold = Math.floor(sample * 2 ** 32);
  return function* (payload) {
    view.open(payload);
    while (view.next()) {
      const { kind } = view.cursor;
      if (kind !== KIND.Exec && kind !== KIND.Gap && sampleHash(view) >= threshold) continue;
      yield { id: view.id, document: documentOfEvent(view, analyzer) };
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

/** Fields whose names or values ECS defines differently from the catalogue, and how a document has them. */
const IN_ECS: Readonly<Record<string, (value: unknown) => Document>> = {
  'process.tty': (device) => ({ 'ringfence.process.tty': device }),
  'log.origin': (origin) => ({ 'ringfence.log.origin': origin }),
  'process.uptime': (seconds) => ({ 'process.uptime': Math.floor(Number(seconds)) }),
  'file.mode': (mode) => ({ 'file.mode': `0${(Number(mode) & 0o7777).toString(8)}` }),
};

/** ECS event types of the life of a process. */
const EVENT_TYPES: Readonly<Record<string, readonly string[]>> = { fork: ['start'], exec: ['start'], exit: ['end'] };

function documentOfEvent(view: EventView, analyzer: boolean): Document {
  const kind = eventKinds.names[view.cursor.kind] ?? 'unknown';
  const type = EVENT_TYPES[kind];
  const lineage = ancestorsOf(view.process);
  const fields = documentOf(view, catalogue.fields, kind);
  const converted = Object.entries(IN_ECS).flatMap(([name, convert]) =>
    fields[name] === undefined ? [] : [convert(fields[name])],
  );
  return {
    'ecs.version': ECS_VERSION,
    'event.kind': 'event',
    'event.module': 'ringfence',
    'event.dataset': 'ringfence.events',
    'event.action': kind,
    ...(type === undefined ? {} : { 'event.type': type }),
    ...Object.fromEntries(Object.entries(fields).filter(([name]) => !Object.hasOwn(IN_ECS, name))),
    ...Object.assign({}, ...converted),
    ...entryLeaderFields(lineage),
    ...(analyzer ? analyzerFields(lineage) : {}),
  };
}

function ancestorsOf(process: ProcessInfo | undefined): Ancestor[] {
  const ancestors: Ancestor[] = [];
  for (let next = process; next !== undefined && ancestors.length < MAX_ANCESTORS; next = next.parent)
    ancestors.push({
      entityId: next.entityId,
      pid: next.pid,
      executable: next.executable,
      containerId: `${next.container}`,
    });
  return ancestors;
}
