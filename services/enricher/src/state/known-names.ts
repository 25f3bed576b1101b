import { Remembered } from './remembered.ts';

/** One name that was asked for, and when it was last answered. */
export interface AnsweredName {
  readonly name: string;
  /** µs, CLOCK_BOOTTIME */
  readonly at: number;
}

/** What an address was called, the newest answer first. */
export interface KnownAddress {
  readonly names: readonly AnsweredName[];
  readonly ordinal: number;
}

/** Of hosts that talk to many: a proxy. */
const MAX_ADDRESSES = 8192;
/** An address of a content network has thousands of names. */
const MAX_NAMES = 4;
/** Programs hold on to an address for longer than its answer may be kept, and few ask again while they do. */
const KEPT_US = 3_600_000_000;

/**
 * By which names the programs of a boot came to addresses, as DNS told them. What is answered inside of a container counts for that container alone: whoever makes up
 * answers there says nothing of others.
 */
export class KnownNames extends Remembered<KnownAddress> {
  constructor() {
    super(MAX_ADDRESSES);
  }

  /** @param container its id; empty: the host's own. @param at µs, CLOCK_BOOTTIME */
  note(container: string, address: string, name: string, at: number): void {
    const key = `${address}/${container}`;
    const others = this.get(key)?.names.filter((one) => one.name !== name) ?? [];
    this.put(key, { names: [{ name, at }, ...others].slice(0, MAX_NAMES) });
  }

  /** The newest first; those that the container was told, else the host's. */
  find(container: string, address: string, at: number): string[] {
    const own = this.#of(`${address}/${container}`, at);
    return own.length > 0 || container === '' ? own : this.#of(`${address}/`, at);
  }

  #of(key: string, at: number): string[] {
    return this.get(key)?.names.flatMap((one) => (at - one.at < KEPT_US ? [one.name] : [])) ?? [];
  }
}
