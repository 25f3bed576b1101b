/** Kinds that are told apart; what comes beyond is one kind more. */
const MAX_KINDS = 64;

/** Tells each kind of trouble once in a while: whoever can cause it at will must not fill the log. */
export class Seldom {
  readonly #everyMs: number;
  readonly #kinds = new Map<string, { at: number; untold: number }>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** How many of this kind went untold since the last that was told; null: this one is not to be told. `now`: ms, monotonic. */
  tell(kind: string, now: number = performance.now()): number | null {
    const key = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : '';
    const known = this.#kinds.get(key);
    if (known !== undefined && now - known.at < this.#everyMs) {
      known.untold++;
      return null;
    }
    const { untold = 0 } = known ?? {};
    this.#kinds.set(key, { at: now, untold: 0 });
    return untold;
  }
}
