import { Remembered } from './remembered.ts';

/** A name of a DNS question, and the time of its last answer. */
export interface AnsweredName {
  readonly name: string;
  /** µs, CLOCK_BOOTTIME */
  readonly at: number;
}

/** Names of an address, the newest answer first. */
export interface KnownAddress {
  readonly names: readonly AnsweredName[];
  readonly ordinal: number;
}

/** Enough for a host with many peers, such as a proxy. */
const MAX_ADDRESSES = 8192;
/** An address of a content delivery network may have thousands of names. */
const MAX_NAMES = 4;
/** Longer than the TTL of most answers, because programs keep an address without asking again. */
const KEPT_US = 3_600_000_000;

/**
 * Names of addresses, from the DNS answers that the programs of a boot received. An answer that a container received
 * counts for that container only, so that forged answers there don't affect other containers.
 */
export class KnownNames extends Remembered<KnownAddress> {
  constructor() {
    super(MAX_ADDRESSES);
  }

  /** `container`: its id; empty: the host itself. `at`: µs, CLOCK_BOOTTIME. */
  note(container: string, address: string, name: string, at: number): void {
    const key = `${address}/${container}`;
    const remaining = this.get(key)?.names.filter((answered) => answered.name !== name) ?? [];
    this.put(key, { names: [{ name, at }, ...remaining].slice(0, MAX_NAMES) });
  }

  /** Returns the names from the container's answers, else those from the host's, the newest first. */
  find(container: string, address: string, at: number): string[] {
    const names = this.#validAt(`${address}/${container}`, at);
    return names.length > 0 || container === '' ? names : this.#validAt(`${address}/`, at);
  }

  #validAt(key: string, at: number): string[] {
    return this.get(key)?.names.flatMap((answered) => (at - answered.at < KEPT_US ? [answered.name] : [])) ?? [];
  }
}
