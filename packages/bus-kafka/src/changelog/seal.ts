import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Position } from '@ringfence/bus';
import type { TopicPartition, WireRecord } from '../client/records.ts';
import { decodeStamp, encodeStamp, STAMP_BYTES, type Stamp } from './stamp.ts';

const MAC_BYTES = 16;

/**
 * Authenticates the records of a changelog partition. A MAC follows each stamp: the first 16 bytes of HMAC-SHA256 over
 * partition, stamp, key and value, for deletions too. Access to the broker alone therefore cannot plant state, and a
 * replayed record has an outdated epoch or sequence. Without a key, records carry only the stamp.
 */
export class Seal {
  readonly #key: KeyObject | null;
  readonly #partitionName: Buffer;

  constructor(key: KeyObject | null, { topic, partition }: TopicPartition) {
    this.#key = key;
    this.#partitionName = Buffer.from(`${topic}/${partition}\0`);
  }

  record(key: Buffer, value: Buffer | null, stamp: Stamp, position: Position): WireRecord {
    const header = encodeStamp(stamp, position);
    return { key, value, header: this.#key === null ? header : Buffer.concat([header, this.#mac(header, key, value)]) };
  }

  /** Returns null when the record has no stamp, or no valid MAC. */
  stampOf({ key, value, header }: WireRecord): ReturnType<typeof decodeStamp> {
    if (this.#key === null) return decodeStamp(header);
    if (header?.length !== STAMP_BYTES + MAC_BYTES) return null;
    const stamp = header.subarray(0, STAMP_BYTES);
    const genuine = timingSafeEqual(header.subarray(STAMP_BYTES), this.#mac(stamp, key, value));
    return genuine ? decodeStamp(stamp) : null;
  }

  #mac(stamp: Buffer, key: Buffer, value: Buffer | null): Buffer {
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32BE(key.length, 0);
    lengths.writeInt32BE(value?.length ?? -1, 4);
    const hmac = createHmac('sha256', this.#key!).update(Buffer.concat([this.#partitionName, stamp, lengths, key]));
    if (value !== null) hmac.update(value);
    return hmac.digest().subarray(0, MAC_BYTES);
  }
}
