/** Reads the records of system calls that change the whole machine. */
import assert from 'node:assert/strict';
import { recordsOf, SECURITY, type SensorRecord } from '@ringfence/testkit/sensor';
import { records as layout } from '@ringfence/wire';

export interface SystemChange {
  readonly operation: string;
  readonly result: number;
  readonly arguments: readonly bigint[];
  readonly caller: number;
  readonly text: string;
  readonly detail: string;
}

const names = new Map(
  Object.entries(layout.SystemOperation).map(([name, value]) => [Number(value), name.toLowerCase()]),
);

/** Returns the changes in order. Asserts that each is on the security lane. */
export function systemChanges(records: readonly SensorRecord[]): SystemChange[] {
  return recordsOf(records, 'rf_system_change').map(({ fields, texts, lane }) => {
    assert.equal(lane, SECURITY);
    return {
      operation: names.get(fields['operation'] as number)?.replace('system_', '') ?? '',
      result: fields['result'] as number,
      arguments: ['first', 'second', 'third'].map((name) => fields[name] as bigint),
      caller: fields['source_caller'] as number,
      text: texts['text']?.bytes.toString() ?? '',
      detail: texts['detail']?.bytes.toString() ?? '',
    };
  });
}
