/** What a collection may use. Each loop that reads asks it before it reads more. */
export class Budget {
  readonly #cpuMicros: number;
  #endsAt: number;
  #bytes: number;
  #cut = '';

  constructor(limits: { readonly bytes: number; readonly seconds: number; readonly cpuSeconds: number }) {
    this.#bytes = limits.bytes;
    this.#cpuMicros = limits.cpuSeconds * 1e6;
    this.#endsAt = performance.now() + limits.seconds * 1000;
  }

  /** The limit that was reached; empty: none */
  get cut(): string {
    return this.#cut;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** ms until the limit of time or of CPU time is reached at the earliest */
  get leftMs(): number {
    const { user, system } = process.cpuUsage();
    return Math.max(0, Math.min(this.#endsAt - performance.now(), (this.#cpuMicros - user - system) / 1000));
  }

  /** Returns how many of `wanted` bytes may be read now; fewer: the limit is reached, and later calls return 0. */
  allow(wanted: number): number {
    if (this.#cut !== '') return 0;
    this.#cut = this.expired();
    if (this.#cut !== '') return 0;
    if (wanted <= this.#bytes) return wanted;
    this.#cut = 'its limit of bytes';
    return this.#bytes;
  }

  /** The limit of time that was reached; empty: none */
  expired(): string {
    if (performance.now() > this.#endsAt) return 'its limit of time';
    const { user, system } = process.cpuUsage();
    return user + system > this.#cpuMicros ? 'its limit of CPU time' : '';
  }

  spend(bytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  /** Calls `read` with a deadline of its own, at most `seconds` from now. */
  within<T>(seconds: number, read: () => T): T {
    const outer = this.#endsAt;
    this.#endsAt = Math.min(outer, performance.now() + seconds * 1000);
    try {
      return read();
    } finally {
      this.#endsAt = outer;
    }
  }
}
