import type { Effect, InRecord } from '@ringfence/bus';
import { deadLetter } from '@ringfence/wire';
import type { AuditEntry, AuditSink, Rejection, SourcePosition } from './sink.ts';
import { createReaders } from './steps/read-records.ts';

/** The sink commits rows and source positions itself; the bus only commits the offset. */
export const NO_EFFECT: Effect = { outputs: [], state: [] };

/** Turns records into entries, writes them to the sink, and dead-letters the entries that the sink rejects. */
export function createAuditPipeline(sink: AuditSink): (records: readonly InRecord[]) => Promise<Effect> {
  const readers = createReaders(sink);

  function read(record: InRecord): readonly AuditEntry[] {
    // A tombstone removes a key from a compacted topic; the trail keeps its records.
    return record.value === null ? [] : (readers.get(record.topic)?.(record, record.value) ?? []);
  }

  return async (records) => {
    const positions = positionsOf(records);
    let entries: readonly AuditEntry[];
    try {
      entries = records.flatMap(read);
    } catch (error) {
      // A single record that cannot be read is dead-lettered. Store its position, or it would count as missed.
      if (records.length === 1) await sink.write({ entries: [], positions });
      throw error;
    }
    return effectOf(await sink.write({ entries, positions }));
  };
}

function effectOf(rejections: readonly Rejection[]): Effect {
  if (rejections.length === 0) return NO_EFFECT;
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
