import { encode } from '../avro/codec.ts';
import { TOPIC } from './topics.ts';

/** Bytes kept of the original, so that the dead letter fits into a record of the bus. */
const ORIGINAL_MAX = 900_000;
const REASON_MAX = 4096;

/**
 * Returns the dead letter, as an OutRecord of the bus, for a record that `stage` (service and step) could not process.
 */
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
