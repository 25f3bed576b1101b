import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Position } from '@ringfence/bus';
import { decodeStamp, encodeStamp, STAMP_BYTES, type Stamp } from './changelog-record.ts';
import type { TopicPartition, WireRecord } from './wire.ts';

const MAC_BYTES = 16;

/**
 * Who may write a changelog partition: whoever has the key. Each record's stamp is followed by a MAC (HMAC-SHA256, its first 16 bytes) over the
 * partition, the stamp, the key and the value, deletions too. So a stolen broker password alone plants no state: what it writes doesn't count, and what
 * was written once and is written again has an epoch or a sequence that is over. Without a key stamps stand alone.
 */
export class Seal {
  readonly #key: KeyObject | null;
  readonly #place: Buffer;

  constructor(key: KeyObject | null, { topic, partition }: TopicPartition) {
    this.#key = key;
    this.#place = Buffer.from(`${topic}/${partition}\0`);
  }

  record(key: Buffer, value: Buffer | null, stamp: Stamp, position: Position): WireRecord {
    const header = encodeStamp(stamp, position);
    return { key, value, header: this.#key === null ? header : Buffer.concat([header, this.#mac(header, key, value)]) };
  }

  /** null: nobody who has the key wrote that */
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
    const hmac = createHmac('sha256', this.#key!).update(Buffer.concat([this.#place, stamp, lengths, key]));
    if (value !== null) hmac.update(value);
    return hmac.digest().subarray(0, MAC_BYTES);
  }
}
