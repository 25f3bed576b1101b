import type { Hit, Hits } from './hits.ts';

const MOST = 64;

/** Hits of unknown keys that a late beginning may still find: the last ones. */
export class Strays {
  readonly #hits: Hits;
  readonly #all: { key: string; hit: Hit }[] = [];
  #next = 0;

  constructor(hits: Hits) {
    this.#hits = hits;
  }

  put(key: string, hit: Hit): void {
    this.#hits.retain(hit);
    const old = this.#all[this.#next];
    if (old === undefined) this.#all.push({ key, hit });
    else {
      this.#hits.release(old.hit);
      old.key = key;
      old.hit = hit;
    }
    this.#next = (this.#next + 1) % MOST;
  }

  /** In order of time. What came before the beginning that it belongs to: this one, or another that may still come. */
  of(key: string, openSinceUs: number): Hit[] {
    const hits = this.#hits;
    return this.#all
      .filter((stray) => stray.key === key && hits.timeOf(stray.hit) >= openSinceUs && !hits.isTold(stray.hit))
      .map(({ hit }) => hit)
      .sort((a, b) => hits.timeOf(a) - hits.timeOf(b));
  }

  clear(): void {
    for (const { hit } of this.#all) this.#hits.release(hit);
    this.#all.length = 0;
    this.#next = 0;
  }
}
