import { createRequire } from 'node:module';
import type { RawFetch, RawPartition } from './responses.ts';
import { WireError } from './wire.ts';

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: Decoder) => T): T[];
}

const FETCH_VERSION = 11;
const NOTHING = Buffer.alloc(0);

/**
 * Returns a decoder that leaves the batches of a fetch response packed. The client's own decoder unpacks while it
 * reads, so that one damaged batch would lose the whole response.
 */
export function decodeFetch({ apiVersion }: { readonly apiVersion: number }): (bytes: Buffer) => Promise<RawFetch> {
  if (apiVersion !== FETCH_VERSION)
    throw new WireError('UNSUPPORTED', 'the broker is older than Kafka 2.3: upgrade it');
  return async (bytes) => {
    const decoder = new Decoder(bytes);
    decoder.readInt32();
    const errorCode = decoder.readInt16();
    decoder.readInt32();
    const topics = decoder.readArray((topicDecoder) => {
      const topic = topicDecoder.readString();
      return topicDecoder.readArray((partitionDecoder) => readPartition(topic, partitionDecoder));
    });
    return { errorCode, partitions: topics.flat() };
  };
}

/**
 * partition error_code high_watermark last_stable_offset log_start_offset [aborted_transactions]
 * preferred_read_replica record_set
 */
function readPartition(topic: string, decoder: Decoder): RawPartition {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = Number(decoder.readInt64().toString());
  decoder.readInt64();
  decoder.readInt64();
  decoder.readArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  decoder.readInt32();
  return { topic, partition, errorCode, highWatermark, batches: decoder.readBytes() ?? NOTHING };
}
