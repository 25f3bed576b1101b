import type { InRecord, OutRecord } from '@ringfence/bus';
import { encode, TOPIC } from '@ringfence/schema';

/** Of the original, so that the letter itself fits a record. */
const ORIGINAL_MAX = 900_000;

export function createDeadLetter(stage: string): (record: InRecord, error: unknown) => OutRecord {
  return function deadLetter({ topic, partition, offset, value }, error) {
    const { code } = error as { code?: unknown };
    const letter = encode('DeadLetter', {
      topic,
      partition,
      offset,
      stage,
      code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
      reason: error instanceof Error ? error.message : String(error),
      original: (value ?? new Uint8Array()).subarray(0, ORIGINAL_MAX),
    });
    return { topic: TOPIC.dlq, key: topic, value: letter };
  };
}
