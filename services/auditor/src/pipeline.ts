import type { Effect, InRecord } from '@ringfence/bus';
import { deadLetter } from '@ringfence/wire';
import type { AuditEntry, AuditSink, Rejection, SourcePosition } from './sink.ts';
import { createReaders } from './steps/read-records.ts';

/** Rows and source positions are the sink's own transaction: the bus has only the offset left to commit. */
export const NOTHING_MORE: Effect = { outputs: [], state: [] };

/** records → entries (what is kept of each, and what it is found by) → sink; what it refuses → dead letters. */
export function createAuditPipeline(sink: AuditSink): (records: readonly InRecord[]) => Promise<Effect> {
  const readers = createReaders(sink);

  function read(record: InRecord): readonly AuditEntry[] {
    // A tombstone says that a compacted topic forgets; the trail doesn't.
    return record.value === null ? [] : (readers.get(record.topic)?.(record, record.value) ?? []);
  }

  return async (records) => {
    const positions = positionsOf(records);
    let entries: readonly AuditEntry[];
    try {
      entries = records.flatMap(read);
    } catch (error) {
      // Alone it goes to the dead letters: the sink has to know that it came, or it would count as missed.
      if (records.length === 1) await sink.write({ entries: [], positions });
      throw error;
    }
    return effectOf(await sink.write({ entries, positions }));
  };
}

function effectOf(rejections: readonly Rejection[]): Effect {
  if (rejections.length === 0) return NOTHING_MORE;
  return {
    outputs: rejections.map(({ entry, error }) => deadLetter({ ...entry, value: entry.payload }, error, 'auditor')),
    state: [],
  };
}

function positionsOf(records: readonly InRecord[]): SourcePosition[] {
  const positions = new Map<string, SourcePosition>();
  for (const { topic, partition, offset } of records) {
    const key = `${topic}/${partition}`;
    const from = positions.get(key)?.from ?? offset;
    positions.set(key, { topic, partition, from, next: offset + 1 });
  }
  return [...positions.values()];
}
