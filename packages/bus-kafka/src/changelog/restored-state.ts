import type { Position } from '@ringfence/bus';
import type { FetchedRecord } from '../client/records.ts';
import { POSITION_KEY, parsePositions } from './keys.ts';
import type { Seal } from './seal.ts';
import type { Stamp } from './stamp.ts';

export interface StateValue {
  readonly value: Buffer;
  readonly position: Position;
}

/** The state in a changelog partition, rebuilt from its records in order. */
export class RestoredState {
  epoch = 0;
  writer = '';
  /** Next input offset by topic. */
  positions: Map<string, number> = new Map();
  readonly entries: Map<string, StateValue> = new Map();
  /** Keys whose last record is invalid. Compaction would keep that record, so the owner writes these keys again. */
  readonly shadowed: Set<string> = new Set();
  /** Invalid records: of a former owner, or not sealed. */
  foreign = 0;
  /** The invalid records without a seal of the group's key. */
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
    if (stamp === null || positions === null || !this.#isCurrent(stamp)) {
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

  #isCurrent({ epoch, writer, sequence }: Stamp): boolean {
    if (epoch !== this.epoch) return epoch > this.epoch;
    return writer === this.writer && sequence >= this.#sequence;
  }
}
