import type { Position } from '@ringfence/bus';
import type { Seal } from './changelog-seal.ts';
import type { FetchedRecord, WireRecord } from './wire.ts';

/**
 * A changelog partition is one log of all the state that one input partition has led to, together with how far the input was read. Who writes it is
 * named in every record: a member opens it by writing under an epoch of its own, one above all before it; what comes later under a lower one was
 * written by a member that had lost the partition and did not know it, and doesn't count.
 */
export interface Stamp {
  readonly epoch: number;
  /** 16 hex digits: who opened that epoch */
  readonly writer: string;
  /** counts the writes of that epoch: one that was delayed is known by it */
  readonly sequence: number;
}

/** The key of the record that says how far the input was read; a store's keys have a NUL. */
export const POSITION_KEY = '@position';
const SEPARATOR = '\0';
export const STAMP_BYTES = 30;

export const stateKey = (store: string, key: string): string => `${store}${SEPARATOR}${key}`;

export const storePrefix = (store: string): string => stateKey(store, '');

export function encodeStamp({ epoch, writer, sequence }: Stamp, { offset, index }: Position): Buffer {
  const bytes = Buffer.alloc(STAMP_BYTES);
  bytes.writeUIntBE(epoch, 0, 6);
  bytes.write(writer, 6, 8, 'hex');
  bytes.writeUIntBE(sequence, 14, 6);
  bytes.writeUIntBE(offset, 20, 6);
  bytes.writeUInt32BE(index, 26);
  return bytes;
}

/** null: none of ours */
export function decodeStamp(header: Buffer | null): (Stamp & { readonly position: Position }) | null {
  if (header?.length !== STAMP_BYTES) return null;
  return {
    epoch: header.readUIntBE(0, 6),
    writer: header.toString('hex', 6, 14),
    sequence: header.readUIntBE(14, 6),
    position: { offset: header.readUIntBE(20, 6), index: header.readUInt32BE(26) },
  };
}

export function positionRecord(seal: Seal, stamp: Stamp, positions: ReadonlyMap<string, number>): WireRecord {
  const value = Buffer.from(JSON.stringify(Object.fromEntries(positions)));
  return seal.record(Buffer.from(POSITION_KEY), value, stamp, { offset: 0, index: 0 });
}

/** null: no consumer wrote that. */
function parsePositions(value: Buffer | null): Map<string, number> | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value?.toString() ?? '');
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  return new Map(
    Object.entries(parsed).filter(
      (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0,
    ),
  );
}

export interface StateValue {
  readonly value: Buffer;
  readonly position: Position;
}

/** What a changelog partition says, read in its order. */
export class Fold {
  epoch = 0;
  writer = '';
  /** next input offset by topic */
  positions: Map<string, number> = new Map();
  readonly entries: Map<string, StateValue> = new Map();
  /** keys whose last record does not count, though compaction would keep it: they have to be written again */
  readonly shadowed: Set<string> = new Set();
  /** records that don't count */
  foreign = 0;
  /** those of them that nobody with the group's key wrote */
  unsealed = 0;
  readonly #seal: Seal;
  #sequence = 0;

  constructor(seal: Seal) {
    this.#seal = seal;
  }

  add(record: FetchedRecord): void {
    const stamp = this.#seal.stampOf(record);
    const key = record.key.toString();
    const positions = key === POSITION_KEY ? parsePositions(record.value) : this.positions;
    if (stamp === null || positions === null || !this.#counts(stamp)) {
      this.foreign++;
      if (stamp === null) this.unsealed++;
      this.shadowed.add(key);
      return;
    }
    this.epoch = stamp.epoch;
    this.writer = stamp.writer;
    this.#sequence = stamp.sequence;
    this.shadowed.delete(key);
    this.positions = positions;
    if (key === POSITION_KEY) return;
    if (record.value === null) this.entries.delete(key);
    else this.entries.set(key, { value: record.value, position: stamp.position });
  }

  #counts({ epoch, writer, sequence }: Stamp): boolean {
    if (epoch !== this.epoch) return epoch > this.epoch;
    return writer === this.writer && sequence >= this.#sequence;
  }
}
