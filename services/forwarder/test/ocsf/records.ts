import { ocsfEvent } from '../../src/encode/ocsf/index.ts';
import { itemOf } from '../../src/items/read-item.ts';
import type { ItemKind, ItemRecords } from '../../src/sink.ts';
import { ocsfProblems } from './validate.ts';

/** Returns how the events of records differ from the published schema, one line for each difference. */
export function ocsfProblemsOf<K extends ItemKind>(kind: K, records: readonly ItemRecords[K][]): string[] {
  return records.flatMap((record) => {
    const item = itemOf(kind, record, { id: `${kind}/${record.id}`, group: record.id, at: 1_790_000_000_000_000 });
    return ocsfProblems(ocsfEvent(item));
  });
}
