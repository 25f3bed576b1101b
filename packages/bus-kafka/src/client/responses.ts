import { protocolErrorsCodesById } from '@platformatic/kafka';
import { readRecordSets } from './record-sets.ts';
import { partitionName } from './records.ts';
import { type Fetched, type FetchOptions, WireError } from './wire.ts';

/** A partition of a fetch response, with its record batches as bytes. */
export interface RawPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly batches: Buffer;
}

export interface RawFetch {
  readonly errorCode: number;
  readonly partitions: readonly RawPartition[];
}

/** Returns Kafka's name of an error code, or null for 0. */
export const errorName = (code: number): string | null =>
  code === 0 ? null : ((protocolErrorsCodesById as Record<number, string>)[code] ?? `CODE_${code}`);

/** Throws WireError for any code but 0. */
export function throwOnError(code: number, action: string): void {
  const name = errorName(code);
  if (name !== null) throw new WireError(name, `${action}: the broker answered ${name}`);
}

/** Unpacks a fetch response. Throws WireError when the broker refused the whole request. */
export function readFetch(response: RawFetch, { from, maxUnpackedBytes }: FetchOptions): readonly Fetched[] {
  throwOnError(response.errorCode, 'fetch');
  const offsets = new Map(from.map((requested) => [partitionName(requested), requested.offset]));
  const offsetOf = (partition: RawPartition): number => offsets.get(partitionName(partition)) ?? 0;
  return readRecordSets(response.partitions, offsetOf, maxUnpackedBytes).map(
    ([{ topic, partition, errorCode, highWatermark: end }, set]) => {
      return { topic, partition, error: errorName(errorCode), end, ...set };
    },
  );
}
