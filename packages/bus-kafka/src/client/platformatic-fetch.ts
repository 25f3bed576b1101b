import { type API, createAPI, fetchV12, type Reader } from '@platformatic/kafka';
import type { RawFetch, RawPartition } from './responses.ts';

const FETCH = 1;
const VERSION = 12;
const NOTHING = Buffer.alloc(0);

/**
 * Reads a fetch response without unpacking its batches. The client's own decoder unpacks while it reads, so that one
 * damaged batch would lose the whole response.
 */
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
    return topicReader.readArray((partitionReader) => readPartition(topic, partitionReader), true, false);
  });
  return { errorCode, partitions: topics.flat() };
});

/**
 * partition_index error_code high_watermark last_stable_offset log_start_offset [aborted_transactions]
 * preferred_read_replica records TAG_BUFFER
 */
function readPartition(topic: string, reader: Reader): RawPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  reader.readInt64();
  reader.readInt64();
  reader.readNullableArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  reader.readInt32();
  // Compact encoding: the length plus one, or 0 for null.
  const bytes = Math.max(0, reader.readUnsignedVarInt() - 1);
  const batches = bytes === 0 ? NOTHING : reader.buffer.slice(reader.position, reader.position + bytes);
  reader.skip(bytes);
  reader.readTaggedFields();
  return { topic, partition, errorCode, highWatermark, batches };
}
