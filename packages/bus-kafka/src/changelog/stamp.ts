import type { Position } from '@ringfence/bus';

/**
 * Names the writer of a changelog record. A member opens a changelog partition under an epoch above all earlier ones.
 * A later record of a lower epoch comes from a former owner, which has not noticed that it lost the partition: readers
 * ignore it.
 */
export interface Stamp {
  readonly epoch: number;
  /** 16 hex digits, random: identifies the member that opened the epoch */
  readonly writer: string;
  /** Number of the write within its epoch. Exposes a delayed write. */
  readonly sequence: number;
}

/** Bytes of an encoded stamp together with the input position of the state entry. */
export const STAMP_BYTES = 30;

/** epoch u48 | writer 8 bytes | sequence u48 | input offset u48 | index u32, big-endian */
export function encodeStamp({ epoch, writer, sequence }: Stamp, { offset, index }: Position): Buffer {
  const bytes = Buffer.alloc(STAMP_BYTES);
  bytes.writeUIntBE(epoch, 0, 6);
  bytes.write(writer, 6, 8, 'hex');
  bytes.writeUIntBE(sequence, 14, 6);
  bytes.writeUIntBE(offset, 20, 6);
  bytes.writeUInt32BE(index, 26);
  return bytes;
}

/** Returns null for a header that is not a stamp. */
export function decodeStamp(header: Buffer | null): (Stamp & { readonly position: Position }) | null {
  if (header?.length !== STAMP_BYTES) return null;
  return {
    epoch: header.readUIntBE(0, 6),
    writer: header.toString('hex', 6, 14),
    sequence: header.readUIntBE(14, 6),
    position: { offset: header.readUIntBE(20, 6), index: header.readUInt32BE(26) },
  };
}
