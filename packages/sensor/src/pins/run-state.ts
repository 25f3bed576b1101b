import { createHash, randomBytes } from 'node:crypto';
import { BpfMap, type Mapping } from '@ringfence/libbpf-ts';
import { LANE, records } from '@ringfence/wire';

const NAME = 'rf_run';
const WORDS = 10;
const F_MMAPABLE = 1 << 10;

/** Indexes of the 8-byte words in the map's only value. */
const WORD = {
  id: 0,
  objectHash: 1,
  hooks: 2,
  tick: 3,
  context: 4,
  layout: 5,
  security: 6,
  bulk: 7,
  tampering: 8,
  functions: 9,
} as const;

/** Hash of the sizes, offsets and kinds of all records. */
const LAYOUT = createHash('sha256')
  .update(JSON.stringify(Object.entries(records).sort()))
  .digest()
  .readBigUInt64LE();

type RingLane = typeof LANE.security | typeof LANE.bulk;

/**
 * State that must live exactly as long as the sensor's counters: the run id, the sequence numbers of the agent's own
 * lanes, and which sensor it was. Stored in a pinned and mapped array with one entry.
 */
export class RunState implements Disposable {
  /** The map's memory. It is only written: another process may have changed it. */
  readonly #shared: BigUint64Array;
  /** Copy of the last words that this agent, or an earlier one, wrote. */
  readonly #words: BigUint64Array;
  readonly #mapping: Mapping;
  readonly #map: BpfMap<Uint8Array, Uint8Array>;

  private constructor(map: BpfMap<Uint8Array, Uint8Array>) {
    this.#map = map;
    this.#mapping = map.memory();
    this.#shared = new BigUint64Array(this.#mapping.buffer, 0, WORDS);
    this.#words = BigUint64Array.from(this.#shared);
  }

  /** Writes again the words that another process has changed. Returns their number. */
  restore(): number {
    let changed = 0;
    for (const [word, value] of this.#words.entries()) {
      if (this.#shared[word] === value) continue;
      changed++;
      this.#shared[word] = value;
    }
    return changed;
  }

  #put(word: number, value: bigint): void {
    this.#words[word] = value;
    this.#shared[word] = value;
  }

  static path(pinPath: string): string {
    return `${pinPath}/${NAME}`;
  }

  static open(pinPath: string): RunState {
    return new RunState(BpfMap.openPinnedBytes(RunState.path(pinPath)));
  }

  /** Starts a run with a random id and pins it. `objectHash`: hash of the sensor's object file. */
  static create(pinPath: string, objectHash: bigint): RunState {
    const sizes = { keySize: 4, valueSize: WORDS * 8, maxEntries: 1 };
    const state = new RunState(BpfMap.create({ type: 'array', name: NAME, flags: F_MMAPABLE, ...sizes }));
    state.#put(WORD.id, randomBytes(8).readBigUInt64LE());
    state.#put(WORD.objectHash, objectHash);
    state.#put(WORD.layout, LAYOUT);
    state.#map.pin(RunState.path(pinPath));
    return state;
  }

  /** 8 bytes, little-endian. */
  get id(): Buffer {
    return Buffer.from(BigUint64Array.of(this.#words[WORD.id] as bigint).buffer);
  }

  /** Hash of the object file from which the pinned programs were loaded. */
  get objectHash(): bigint {
    return this.#words[WORD.objectHash] as bigint;
  }

  /** Whether the records in the rings have the layout that this version reads. */
  get hasCurrentLayout(): boolean {
    return this.#words[WORD.layout] === LAYOUT;
  }

  /** Number of hooks that were attached and pinned, without probes. 0 until all of them are. */
  get hooks(): number {
    return Number(this.#words[WORD.hooks]);
  }

  set hooks(hooks: number) {
    this.#put(WORD.hooks, BigInt(hooks));
  }

  /** Whether the programs of system calls trace the kernel's functions instead of tracepoints. */
  get tracesFunctions(): boolean {
    return this.#words[WORD.functions] === 1n;
  }

  set tracesFunctions(functions: boolean) {
    this.#put(WORD.functions, functions ? 1n : 0n);
  }

  /** Sequence number of the last entry of rf_tamperings that was delivered. */
  get lastTampering(): bigint {
    return this.#words[WORD.tampering] as bigint;
  }

  set lastTampering(sequence: bigint) {
    this.#put(WORD.tampering, sequence);
  }

  /**
   * Takes the next sequence number, from 1, of one of the agent's own lanes. Call it before the batch is sent: a crash
   * then leaves a gap, and never two events with one number.
   */
  nextSequence(lane: typeof LANE.tick | typeof LANE.context): number {
    const word = lane === LANE.tick ? WORD.tick : WORD.context;
    const sequence = (this.#words[word] as bigint) + 1n;
    this.#put(word, sequence);
    return Number(sequence);
  }

  /** The last sequence number taken in one of the agent's own lanes, or 0. */
  lastSequence(lane: number): number {
    return Number(this.#words[lane === LANE.tick ? WORD.tick : WORD.context] as bigint);
  }

  /** Number of records that this agent and earlier ones read from a ring since the run began. */
  recordsRead(lane: RingLane): number {
    return Number(this.#words[lane === LANE.security ? WORD.security : WORD.bulk] as bigint);
  }

  setRecordsRead(lane: RingLane, records: number): void {
    this.#put(lane === LANE.security ? WORD.security : WORD.bulk, BigInt(records));
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    this.#map[Symbol.dispose]();
  }
}
