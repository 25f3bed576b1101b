import type { InRecord } from '@ringfence/bus';
import { createSingleEvent, decodeText, EventView, KIND, leaf, type ProcessInfo, splitText } from '@ringfence/wire';
import { KindSet } from '../kind-bits.ts';
import type { AuditEntry } from '../sink.ts';
import { contentId, entryOf, type RecordReader, searchText } from './entry.ts';

/** Only the parent: every execution is stored as its own entry. */
const KEPT_ANCESTORS = 1;

/**
 * Creates a reader that keeps a batch as a whole, and its executions and gaps also individually, so that they outlive
 * it. Events are read in place; only executions and gaps are decoded.
 */
export function createEventBatchReader(separateExecutions: boolean): RecordReader {
  const view = new EventView();
  const single = createSingleEvent(KEPT_ANCESTORS);
  return (record: InRecord, value: Uint8Array): readonly AuditEntry[] => {
    view.open(value);
    const processes = new Set<ProcessInfo>();
    const singles: AuditEntry[] = [];
    let previous: ProcessInfo | undefined;
    const kinds = new KindSet();
    let from = Number.POSITIVE_INFINITY;
    let until = Number.NEGATIVE_INFINITY;
    const { cursor } = view;
    while (view.next()) {
      const { kind, ktime } = cursor;
      kinds.add(kind);
      if (ktime < from) from = ktime;
      if (ktime > until) until = ktime;
      if (view.process !== previous) {
        previous = view.process;
        if (previous !== undefined) processes.add(previous);
      }
      if (kind === KIND.Exec && separateExecutions) singles.push(entryOf(record, single(view), executionFields(view)));
      else if (kind === KIND.Gap) singles.push(entryOf(record, single(view), gapFields(view)));
    }
    if (view.index < 0) return [];
    const { wallOffset, hostId } = view.head;
    const batch = entryOf(record, value, {
      kind: 'events',
      id: contentId(value),
      timestamp: from + wallOffset,
      until: until + wallOffset,
      hostId,
      eventKinds: kinds.bits,
      eventCount: view.index + 1,
      entities: Array.from(processes, (process) => process.entityId),
    });
    return [batch, ...singles];
  };
}

function executionFields(
  view: EventView,
): Pick<AuditEntry, 'kind' | 'id' | 'timestamp' | 'hostId' | 'entities' | 'text'> {
  const { cursor, process, container } = view;
  const text = [
    process?.executable ?? '',
    decodeText(cursor.leafBytes(leaf.Exec.filenameBytes)),
    splitText(cursor.leafBytes(leaf.Exec.argvBytes)).join(' '),
    decodeText(cursor.leafBytes(leaf.Exec.cwdBytes)),
    process?.raw.user ?? '',
    ...(container === undefined ? [] : [container.id, container.name, container.image]),
  ];
  return {
    kind: 'execution',
    id: view.id,
    timestamp: view.timestamp,
    hostId: view.head.hostId,
    entities: process === undefined ? [] : [process.entityId],
    text: searchText(text),
  };
}

function gapFields(view: EventView): Pick<AuditEntry, 'kind' | 'id' | 'timestamp' | 'hostId' | 'text'> {
  const { id, timestamp, head, cursor } = view;
  return {
    kind: 'gap',
    id,
    timestamp,
    hostId: head.hostId,
    text: searchText(['gap', decodeText(cursor.leafBytes(leaf.Gap.reason))]),
  };
}
