import { createHash, randomBytes } from 'node:crypto';
import { BpfMap, type Mapping } from '@ringfence/libbpf-ts';
import { LANE, records } from '@ringfence/wire';

const NAME = 'rf_run';
const WORDS = 10;
const F_MMAPABLE = 1 << 10;

/** Places in the map's one value, 8 bytes each. */
const WORD = {
  run: 0,
  object: 1,
  hooks: 2,
  tick: 3,
  context: 4,
  layout: 5,
  security: 6,
  bulk: 7,
  tampering: 8,
  functions: 9,
} as const;

/** Changes with any size, offset or kind of the records. */
const LAYOUT = createHash('sha256')
  .update(JSON.stringify(Object.entries(records).sort()))
  .digest()
  .readBigUInt64LE();

/**
 * What must live exactly as long as the sensor's counters: their run id, the numbers taken in the agent's own lanes, which sensor it was.
 * A pinned one-entry array, mapped.
 */
export class RunState implements Disposable {
  readonly #words: BigUint64Array;
  readonly #mapping: Mapping;
  readonly #map: BpfMap<Uint8Array, Uint8Array>;

  private constructor(map: BpfMap<Uint8Array, Uint8Array>) {
    this.#map = map;
    this.#mapping = map.memory();
    this.#words = new BigUint64Array(this.#mapping.buffer, 0, WORDS);
  }

  static path(pinPath: string): string {
    return `${pinPath}/${NAME}`;
  }

  static open(pinPath: string): RunState {
    return new RunState(BpfMap.openPinnedBytes(RunState.path(pinPath)));
  }

  /** `object`: hash of the object file */
  static create(pinPath: string, object: bigint): RunState {
    const sizes = { keySize: 4, valueSize: WORDS * 8, maxEntries: 1 };
    const state = new RunState(BpfMap.create({ type: 'array', name: NAME, flags: F_MMAPABLE, ...sizes }));
    state.#words[WORD.run] = randomBytes(8).readBigUInt64LE();
    state.#words[WORD.object] = object;
    state.#words[WORD.layout] = LAYOUT;
    state.#map.pin(RunState.path(pinPath));
    return state;
  }

  /** 8 bytes, little-endian */
  get run(): Buffer {
    return Buffer.from(BigUint64Array.of(this.#words[WORD.run] as bigint).buffer);
  }

  /** hash of the object file that the pinned programs come from */
  get object(): bigint {
    return this.#words[WORD.object] as bigint;
  }

  /** the records in its rings look as this program reads them */
  get readable(): boolean {
    return this.#words[WORD.layout] === LAYOUT;
  }

  /** hooks that were attached and pinned, probes left out; 0: not all are yet */
  get hooks(): number {
    return Number(this.#words[WORD.hooks]);
  }

  set hooks(hooks: number) {
    this.#words[WORD.hooks] = BigInt(hooks);
  }

  /** its programs of system calls are around the kernel's functions */
  get functions(): boolean {
    return this.#words[WORD.functions] === 1n;
  }

  set functions(functions: boolean) {
    this.#words[WORD.functions] = functions ? 1n : 0n;
  }

  /** number of the last entry of rf_tamperings that is told */
  get tampering(): bigint {
    return this.#words[WORD.tampering] as bigint;
  }

  set tampering(told: bigint) {
    this.#words[WORD.tampering] = told;
  }

  /** Takes the next number of one of the agent's lanes, from 1. Taken before the batch goes out: a crash leaves a hole, never two events with one number. */
  next(lane: typeof LANE.tick | typeof LANE.context): number {
    const word = lane === LANE.tick ? WORD.tick : WORD.context;
    const sequence = (this.#words[word] as bigint) + 1n;
    this.#words[word] = sequence;
    return Number(sequence);
  }

  /** Records of a ring that were read since the sensor's counters began, by this agent and those before it. */
  read(lane: typeof LANE.security | typeof LANE.bulk): number {
    return Number(this.#words[lane === LANE.security ? WORD.security : WORD.bulk] as bigint);
  }

  setRead(lane: typeof LANE.security | typeof LANE.bulk, records: number): void {
    this.#words[lane === LANE.security ? WORD.security : WORD.bulk] = BigInt(records);
  }

  /** The last number taken; 0: none. */
  last(lane: number): number {
    return Number(this.#words[lane === LANE.tick ? WORD.tick : WORD.context] as bigint);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    this.#map[Symbol.dispose]();
  }
}
