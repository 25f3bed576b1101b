/** Sets of kinds of events as one number: bit n stands for kind n (KIND). Up to 52, where a Number still tells every integer apart; `&` alone ends at 31. */

export const ALL_KINDS: number = 2 ** 53 - 1;

export const kindBit = (kind: number): number => 2 ** kind;

export const hasKind = (bits: number, kind: number): boolean => Math.floor(bits / 2 ** kind) % 2 === 1;

/** Collects kinds without an allocation for each. */
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
