/** Sets of event kinds as a number: bit n stands for kind n (KIND). A Number holds 53 bits, but `&` uses only 32. */

export const ALL_KINDS: number = 2 ** 53 - 1;

export const kindBit = (kind: number): number => 2 ** kind;

export const hasKind = (bits: number, kind: number): boolean => Math.floor(bits / 2 ** kind) % 2 === 1;

/** Collects kinds without allocating. */
export class KindSet {
  #low = 0;
  #high = 0;

  add(kind: number): void {
    if (kind < 32) this.#low |= 1 << kind;
    else this.#high |= 1 << (kind - 32);
  }

  get bits(): number {
    return this.#high * 2 ** 32 + (this.#low >>> 0);
  }
}
