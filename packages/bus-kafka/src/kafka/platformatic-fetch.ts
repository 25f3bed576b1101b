import { type API, createAPI, fetchV12, type Reader } from '@platformatic/kafka';

/** One partition of a fetch response, its record batches as they came. */
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

const FETCH = 1;
const VERSION = 12;
const NOTHING = Buffer.alloc(0);

/** The client's own fetch unpacks batches while it reads the response: one that it can't unpack would cost all that came with it. */
export const rawFetch: API<
  [
    maxWaitMs: number,
    minBytes: number,
    maxBytes: number,
    isolationLevel: number,
    sessionId: number,
    sessionEpoch: number,
    topics: Parameters<typeof fetchV12.createRequest>[6],
    forgotten: [],
    rackId: string,
  ],
  RawFetch
> = createAPI(FETCH, VERSION, fetchV12.createRequest, (_correlation, _key, _version, reader) => {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  const topics = reader.readArray((topicReader) => {
    const topic = topicReader.readString();
    return topicReader.readArray((own) => partitionOf(topic, own), true, false);
  });
  return { errorCode, partitions: topics.flat() };
});

/** partition_index error_code high_watermark last_stable_offset log_start_offset [aborted_transactions] preferred_read_replica records TAG_BUFFER */
function partitionOf(topic: string, reader: Reader): RawPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  reader.readInt64();
  reader.readInt64();
  reader.readNullableArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  reader.readInt32();
  // Compact: one more than the length, 0 for none.
  const bytes = Math.max(0, reader.readUnsignedVarInt() - 1);
  const batches = bytes === 0 ? NOTHING : reader.buffer.slice(reader.position, reader.position + bytes);
  reader.skip(bytes);
  reader.readTaggedFields();
  return { topic, partition, errorCode, highWatermark, batches };
}
