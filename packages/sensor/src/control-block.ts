import { records } from '@ringfence/wire';

const AGENT_TGID = records.CONTROL_AGENT_TGID / 4;
const AGENT_START = records.CONTROL_AGENT_START / 4;
const PARTNER_TGID = records.CONTROL_PARTNER_TGID / 4;
const PARTNER_START = records.CONTROL_PARTNER_START / 4;
const ALL_OPENS = records.CONTROL_ALL_OPENS / 4;
const SLEEPING = records.CONTROL_SLEEPING / 4;
const WATCHED_HEADS = records.CONTROL_WATCHED_HEADS / 4;
const GENERATION = records.CONTROL_GENERATION / 4;
const SHARE_INTERVAL = records.CONTROL_SHARE_INTERVAL / 4;
const SHARE_BURST = records.CONTROL_SHARE_BURST / 4;
const SHARE_FROM = records.CONTROL_SHARE_FROM / 4;
const NOTHING_NAMED = records.CONTROL_NOTHING_NAMED / 4;
const EXECUTABLES_NAMED = records.CONTROL_EXECUTABLES_NAMED / 4;
const CHANGED_HEADS = records.CONTROL_CHANGED_HEADS / 4;
const CHANGES_NAMED = records.CONTROL_CHANGES_NAMED / 4;

export interface Shares {
  readonly perSecond: number;
  readonly burst: number;
  readonly fromBytes: readonly [security: number, bulk: number];
}

interface Identity {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: bigint;
}

/** struct rf_control in the sensor's .bss: what the reader tells the sensor. */
export class ControlBlock {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Whose file and network noise is dropped, and to whom nothing may be done unseen; null: nobody. */
  set agent(agent: Identity | null) {
    this.#identify(AGENT_TGID, AGENT_START, agent);
  }

  /** To whom nothing may be done unseen either. */
  set partner(partner: Identity | null) {
    this.#identify(PARTNER_TGID, PARTNER_START, partner);
  }

  #identify(tgidWord: number, startWord: number, process: Identity | null): void {
    Atomics.store(this.#words, tgidWord, 0);
    this.#store64(startWord, process?.start ?? 0n);
    Atomics.store(this.#words, tgidWord, process?.tgid ?? 0);
  }

  set allOpens(all: boolean) {
    Atomics.store(this.#words, ALL_OPENS, all ? 1 : 0);
  }

  /** What prefixes are looked for: a bit for each value, modulo 64, of a first component's first byte. The more of them are 0, the fewer paths are put together. */
  set watchedHeads(bits: bigint) {
    this.#store64(WATCHED_HEADS, bits);
  }

  set watchingNames(any: boolean) {
    Atomics.store(this.#words, NOTHING_NAMED, any ? 0 : 1);
  }

  set watchingExecutables(any: boolean) {
    Atomics.store(this.#words, EXECUTABLES_NAMED, any ? 1 : 0);
  }

  /** As watchedHeads, of what is watched for changes alone. */
  set changedHeads(bits: bigint) {
    this.#store64(CHANGED_HEADS, bits);
  }

  set watchingChangedNames(any: boolean) {
    Atomics.store(this.#words, CHANGES_NAMED, any ? 1 : 0);
  }

  /**
   * What a cgroup may send while a ring holds `fromBytes` (security, bulk) or more: `perSecond` events, and `burst` at once. null: everything.
   */
  set shares(shares: Shares | null) {
    Atomics.store(this.#words, SHARE_FROM, 0);
    Atomics.store(this.#words, SHARE_FROM + 1, 0);
    if (shares === null) return;
    const interval = BigInt(Math.round(1e9 / shares.perSecond));
    this.#store64(SHARE_INTERVAL, interval);
    this.#store64(SHARE_BURST, interval * BigInt(shares.burst));
    Atomics.store(this.#words, SHARE_FROM, shares.fromBytes[0]);
    Atomics.store(this.#words, SHARE_FROM + 1, shares.fromBytes[1]);
  }

  #store64(word: number, value: bigint): void {
    Atomics.store(this.#words, word, Number(BigInt.asIntN(32, value)));
    Atomics.store(this.#words, word + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Of the interest in force; 0: there is none, everything is sent. */
  get generation(): number {
    return Atomics.load(this.#words, GENERATION);
  }

  set generation(generation: number) {
    Atomics.store(this.#words, GENERATION, generation);
  }

  /** The next record of any ring wakes the reader. Look at the rings once more before sleeping. */
  arm(): void {
    Atomics.store(this.#words, SLEEPING, 1);
    Atomics.store(this.#words, SLEEPING + 1, 1);
  }

  disarm(): void {
    Atomics.store(this.#words, SLEEPING, 0);
    Atomics.store(this.#words, SLEEPING + 1, 0);
  }
}
