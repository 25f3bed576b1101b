/** Whether what lies there may be taken: a topic that lingers lets its records wait for company, and one record that need not wait takes all along. */
export class Linger {
  readonly #lingerMs: Readonly<Record<string, number>>;
  readonly #wake: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** of performance.now(): when the timer goes off */
  #until = Infinity;
  #ripe = false;

  constructor(lingerMs: Readonly<Record<string, number>>, wake: () => void) {
    this.#lingerMs = lingerMs;
    this.#wake = wake;
  }

  get isRipe(): boolean {
    return this.#ripe;
  }

  /** A record of `topic` came; `old`: it lay there before we did. */
  came(topic: string, old: boolean): void {
    const ms = this.#lingerMs[topic];
    if (ms === undefined || old) this.#ripen();
    else this.#ripenIn(ms);
  }

  /** Nothing is left. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#until = Infinity;
    this.#ripe = false;
  }

  #ripenIn(ms: number): void {
    const until = performance.now() + ms;
    if (this.#ripe || until >= this.#until) return;
    clearTimeout(this.#timer);
    this.#until = until;
    this.#timer = setTimeout(() => this.#ripen(), ms);
  }

  #ripen(): void {
    this.#ripe = true;
    this.#wake();
  }
}
