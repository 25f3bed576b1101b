import { records } from '@ringfence/schema';

const AGENT_TGID = records.CONTROL_AGENT_TGID / 4;
const ALL_OPENS = records.CONTROL_ALL_OPENS / 4;
const SLEEPING = records.CONTROL_SLEEPING / 4;
const NOTHING_WATCHED = records.CONTROL_NOTHING_WATCHED / 4;
const NOTHING_NAMED = records.CONTROL_NOTHING_NAMED / 4;

/** struct rf_control in the sensor's .bss: what the reader tells the sensor. */
export class ControlBlock {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  set agentTgid(tgid: number) {
    Atomics.store(this.#words, AGENT_TGID, tgid);
  }

  set allOpens(all: boolean) {
    Atomics.store(this.#words, ALL_OPENS, all ? 1 : 0);
  }

  /** false spares the sensor from looking for watched prefixes, which takes a whole path */
  set watchingPrefixes(any: boolean) {
    Atomics.store(this.#words, NOTHING_WATCHED, any ? 0 : 1);
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
