import { encode } from '../avro/codec.ts';
import { TOPIC } from './topics.ts';

/** Of the original, so that the letter itself fits a record of the bus. */
const ORIGINAL_MAX = 900_000;
const REASON_MAX = 4096;

/** The letter that stands for a record which `stage` (service and step) could not process: what the bus takes as an OutRecord. */
export function deadLetter(
  record: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly value: Uint8Array | null;
    readonly wire?: Uint8Array;
  },
  error: unknown,
  stage: string,
): { readonly topic: string; readonly key: string; readonly value: Buffer } {
  const { topic, partition, offset, value, wire = value } = record;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const letter = encode('DeadLetter', {
    topic,
    partition,
    offset,
    stage,
    code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
    reason: (error instanceof Error ? error.message : String(error)).slice(0, REASON_MAX),
    original: (wire ?? new Uint8Array()).subarray(0, ORIGINAL_MAX),
  });
  return { topic: TOPIC.dlq, key: topic, value: letter };
}
