const MAX_ADDRESSES = 10_000;
const MINUTE = 60_000;

/** Refusals by address within a minute: whoever guesses or floods isn't heard for the rest of it. Nothing is counted for those who are welcome. */
export class RefusalLimit {
  readonly #perMinute: number;
  readonly #counts = new Map<string, { count: number; since: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** `now`: ms of a clock that never goes back. */
  blocks(address: string, now: number): boolean {
    const entry = this.#counts.get(address);
    return entry !== undefined && now - entry.since < MINUTE && entry.count >= this.#perMinute;
  }

  refused(address: string, now: number): void {
    const entry = this.#counts.get(address);
    if (entry !== undefined && now - entry.since < MINUTE) {
      entry.count++;
      return;
    }
    this.#counts.delete(address);
    this.#counts.set(address, { count: 1, since: now });
    if (this.#counts.size > MAX_ADDRESSES) this.#counts.delete(this.#counts.keys().next().value as string);
  }
}
