import { records } from '@ringfence/schema';

const AGENT_TGID = records.CONTROL_AGENT_TGID / 4;
const AGENT_START = records.CONTROL_AGENT_START / 4;
const ALL_OPENS = records.CONTROL_ALL_OPENS / 4;
const SLEEPING = records.CONTROL_SLEEPING / 4;
const WATCHED_HEADS = records.CONTROL_WATCHED_HEADS / 4;
const NOTHING_NAMED = records.CONTROL_NOTHING_NAMED / 4;

/** struct rf_control in the sensor's .bss: what the reader tells the sensor. */
export class ControlBlock {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Whose file and network noise is dropped; null: nobody's. */
  set agent(agent: { readonly tgid: number; readonly start: bigint } | null) {
    Atomics.store(this.#words, AGENT_TGID, 0);
    const start = agent?.start ?? 0n;
    Atomics.store(this.#words, AGENT_START, Number(BigInt.asIntN(32, start)));
    Atomics.store(this.#words, AGENT_START + 1, Number(BigInt.asIntN(32, start >> 32n)));
    Atomics.store(this.#words, AGENT_TGID, agent?.tgid ?? 0);
  }

  set allOpens(all: boolean) {
    Atomics.store(this.#words, ALL_OPENS, all ? 1 : 0);
  }

  /** What prefixes are looked for: a bit for each value, modulo 64, of a first component's first byte. The more of them are 0, the fewer paths are put together. */
  set watchedHeads(bits: bigint) {
    Atomics.store(this.#words, WATCHED_HEADS, Number(BigInt.asIntN(32, bits)));
    Atomics.store(this.#words, WATCHED_HEADS + 1, Number(BigInt.asIntN(32, bits >> 32n)));
  }

  set watchingNames(any: boolean) {
    Atomics.store(this.#words, NOTHING_NAMED, any ? 0 : 1);
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
