/**
 * Decides when fetched records may be handed out. Records of a topic with a linger time wait for more records; a record
 * that need not wait releases all others.
 */
export class BatchLinger {
  readonly #lingerMs: Readonly<Record<string, number>>;
  readonly #wake: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, of performance.now(). */
  #readyAt = Infinity;
  #ready = false;

  constructor(lingerMs: Readonly<Record<string, number>>, wake: () => void) {
    this.#lingerMs = lingerMs;
    this.#wake = wake;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** Call it for an arrived record. `isBacklog`: it is older than the start of reading, so it need not linger. */
  recordArrived(topic: string, isBacklog: boolean): void {
    const ms = this.#lingerMs[topic];
    if (ms === undefined || isBacklog) this.#markReady();
    else this.#markReadyIn(ms);
  }

  /** Call it when no fetched record is left. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#readyAt = Infinity;
    this.#ready = false;
  }

  #markReadyIn(ms: number): void {
    const readyAt = performance.now() + ms;
    if (this.#ready || readyAt >= this.#readyAt) return;
    clearTimeout(this.#timer);
    this.#readyAt = readyAt;
    this.#timer = setTimeout(() => this.#markReady(), ms);
  }

  #markReady(): void {
    this.#ready = true;
    this.#wake();
  }
}
