import type { InRecord } from '@ringfence/bus';
import {
  createSingleEvent,
  decodeText,
  EventView,
  KIND,
  leafIndex,
  type ProcessInfo,
  splitText,
} from '@ringfence/wire';
import { KindSet } from '../kind-bits.ts';
import type { AuditEntry } from '../sink.ts';
import { contentId, entryOf, searchText } from './entry.ts';
import type { RecordReader } from './read-records.ts';

const FILENAME = leafIndex('Exec', 'filename.bytes');
const CWD = leafIndex('Exec', 'cwd.bytes');
const ARGV = leafIndex('Exec', 'argv.bytes');
const GAP_REASON = leafIndex('Gap', 'reason');

/** A process's parent, and no more: each execution is kept by itself. */
const ANCESTORS = 1;

/**
 * A batch is kept whole; executions and gaps in it also singly, so that they outlive it. Walks the events in place: only executions and gaps are
 * decoded.
 */
export function createEventBatchReader(executionsApart: boolean): RecordReader {
  const view = new EventView();
  const single = createSingleEvent(ANCESTORS);
  return (record: InRecord, value: Uint8Array): readonly AuditEntry[] => {
    view.open(value);
    const seen = new Set<ProcessInfo>();
    const singles: AuditEntry[] = [];
    let last: ProcessInfo | undefined;
    const kinds = new KindSet();
    let from = Number.POSITIVE_INFINITY;
    let until = Number.NEGATIVE_INFINITY;
    const { cursor } = view;
    while (view.next()) {
      const { kind, ktime } = cursor;
      kinds.add(kind);
      if (ktime < from) from = ktime;
      if (ktime > until) until = ktime;
      if (view.process !== last) {
        last = view.process;
        if (last !== undefined) seen.add(last);
      }
      if (kind === KIND.Exec && executionsApart) singles.push(entryOf(record, single(view), execution(view)));
      else if (kind === KIND.Gap) singles.push(entryOf(record, single(view), gap(view)));
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
      entities: Array.from(seen, (process) => process.entityId),
    });
    return [batch, ...singles];
  };
}

function execution(view: EventView): Pick<AuditEntry, 'kind' | 'id' | 'timestamp' | 'hostId' | 'entities' | 'text'> {
  const { cursor, process, container } = view;
  const text = [
    process?.executable ?? '',
    decodeText(cursor.leafBytes(FILENAME)),
    splitText(cursor.leafBytes(ARGV)).join(' '),
    decodeText(cursor.leafBytes(CWD)),
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

function gap(view: EventView): Pick<AuditEntry, 'kind' | 'id' | 'timestamp' | 'hostId' | 'text'> {
  const { id, timestamp, head, cursor } = view;
  return {
    kind: 'gap',
    id,
    timestamp,
    hostId: head.hostId,
    text: searchText(['gap', decodeText(cursor.leafBytes(GAP_REASON))]),
  };
}
