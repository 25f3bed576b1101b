/** Digits of a number that fits a word. */
const DIGITS = 9;
const NO_NUMBER = -1;
const ZERO = 48;

/**
 * Ids of events as two words each. They end in a number, and many differ by it alone: what is in front of it is kept once for all, as long as there is
 * one. Any other text is kept as it is.
 */
export class Ids {
  /** what is in front of a number, and how many have it; the first, nothing, stays */
  readonly #fronts: { text: string; count: number }[] = [{ text: '', count: 1 }];
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #free: number[] = [];
  #last = 0;

  /** Texts that are kept. */
  get kept(): number {
    return this.#numbers.size - 1;
  }

  put(words: Int32Array, at: number, id: string): void {
    let start = id.length;
    let number = NO_NUMBER;
    for (let i = id.length - 1, unit = 1; i >= 0 && i >= id.length - DIGITS; i--, unit *= 10) {
      const digit = id.charCodeAt(i) - ZERO;
      if (digit < 0 || digit > 9) break;
      // Zeros in front aren't part of it.
      if (digit !== 0 || number === NO_NUMBER) start = i;
      number = Math.max(number, 0) + digit * unit;
    }
    words[at] = this.#front(id, start);
    words[at + 1] = number;
  }

  get(words: Int32Array, at: number): string {
    const { text } = this.#fronts[words[at]!]!;
    const number = words[at + 1]!;
    return number === NO_NUMBER ? text : `${text}${number}`;
  }

  drop(words: Int32Array, at: number): void {
    const index = words[at]!;
    const front = this.#fronts[index]!;
    if (--front.count > 0) return;
    this.#numbers.delete(front.text);
    this.#free.push(index);
    front.text = '';
    if (this.#last === index) this.#last = 0;
  }

  /** Number of the first `length` characters. */
  #front(id: string, length: number): number {
    const last = this.#fronts[this.#last]!;
    if (last.text.length === length && id.startsWith(last.text)) {
      last.count++;
      return this.#last;
    }
    const text = id.slice(0, length);
    const known = this.#numbers.get(text);
    const index = known ?? this.#free.pop() ?? this.#fronts.length;
    this.#last = index;
    if (known !== undefined) this.#fronts[index]!.count++;
    else {
      this.#numbers.set(text, index);
      this.#fronts[index] = { text, count: 1 };
    }
    return index;
  }
}
