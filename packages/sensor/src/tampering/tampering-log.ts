import type { BpfMap, Mapping } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import type { RunState } from '../pins/run-state.ts';
import { isSound } from '../records/record-check.ts';
import { isOwnAccess } from './own-process.ts';

const ENTRY = records.SIZEOF_TAMPERING_ENTRY;

/** Entries of rf_tamperings (struct rf_tampering_entry) that were not delivered yet, oldest first. */
export interface Tampering {
  /** copies of the map's memory */
  readonly entries: readonly Buffer[];
  /** sequence number of the last entry */
  readonly last: bigint;
  /** older entries that were overwritten before they were read */
  readonly lost: number;
}

/** Reads the mapped rf_tamperings, in which the sensor records tampering with the agent and with itself. */
export class TamperingLog implements Disposable {
  readonly #mapping: Mapping;
  readonly #run: RunState;
  #taken: bigint;

  constructor(map: Pick<BpfMap, 'memory'>, run: RunState) {
    this.#mapping = map.memory({ writable: false });
    this.#run = run;
    this.#taken = run.lastTampering;
  }

  /** Returns the entries since the last call; at first, those that no earlier agent acknowledged. */
  take(): Tampering {
    const tampering = entriesAfter(this.#mapping.buffer, this.#taken);
    this.#taken = tampering.last;
    return { ...tampering, entries: tampering.entries.filter((entry) => !isOwnAccess(entry)) };
  }

  /** Sequence number of the last entry that was read. */
  get taken(): bigint {
    return this.#taken;
  }

  /** Gives up entries up to this number, which were erased before they were read. */
  skipTo(sequence: bigint): void {
    this.#taken = sequence;
  }

  /** Call it when everything that `take` returned is on the bus or in the spool. */
  acknowledge(): void {
    if (this.#run.lastTampering !== this.#taken) this.#run.lastTampering = this.#taken;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}

function entriesAfter(memory: ArrayBuffer, sequence: bigint): Tampering {
  const copies: Buffer[] = [];
  const words = new BigUint64Array(memory, 0, Math.floor(memory.byteLength / 8));
  for (let at = 0; at + ENTRY <= memory.byteLength; at += ENTRY)
    if ((words[(at + records.HEADER_SEQUENCE) / 8] as bigint) > sequence)
      copies.push(Buffer.from(Buffer.from(memory, at, ENTRY)));
  if (copies.length === 0) return { entries: copies, last: sequence, lost: 0 };
  // The sensor may have been writing an entry while it was copied.
  const entries = copies.filter((entry) => sequenceOf(entry) > sequence && isComplete(entry));
  entries.sort((a, b) => Number(sequenceOf(a) - sequenceOf(b)));
  const newest = entries.at(-1);
  const last = newest === undefined ? sequence : sequenceOf(newest);
  return { entries, last, lost: Number(last - sequence) - entries.length };
}

const sequenceOf = (entry: Buffer): bigint => entry.readBigUInt64LE(records.HEADER_SEQUENCE);

const isComplete = (entry: Buffer): boolean =>
  isSound(new DataView(entry.buffer, entry.byteOffset, entry.length), 0, entry.length);
