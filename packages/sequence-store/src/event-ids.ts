/** Digits of a number that fits a word. */
const DIGITS = 9;
const NO_NUMBER = -1;
const ZERO = 48;

/**
 * Event ids as two words each. Most ids end in a number and differ only by it: the prefix is stored once, for as long
 * as an id uses it. An id without a number is stored whole as a prefix.
 */
export class EventIds {
  /** Prefixes with their reference counts; the first, the empty one, always stays. */
  readonly #prefixes: { text: string; count: number }[] = [{ text: '', count: 1 }];
  readonly #indexes = new Map<string, number>([['', 0]]);
  readonly #free: number[] = [];
  #last = 0;

  /** Number of stored prefixes. */
  get stored(): number {
    return this.#indexes.size - 1;
  }

  /** Stores an id in the two words at `at`. */
  put(words: Int32Array, at: number, id: string): void {
    let start = id.length;
    let number = NO_NUMBER;
    for (let i = id.length - 1, unit = 1; i >= 0 && i >= id.length - DIGITS; i--, unit *= 10) {
      const digit = id.charCodeAt(i) - ZERO;
      if (digit < 0 || digit > 9) break;
      // Leading zeros belong to the prefix: the number alone would lose them.
      if (digit !== 0 || number === NO_NUMBER) start = i;
      number = Math.max(number, 0) + digit * unit;
    }
    words[at] = this.#retainPrefix(id, start);
    words[at + 1] = number;
  }

  get(words: Int32Array, at: number): string {
    const { text } = this.#prefixes[words[at]!]!;
    const number = words[at + 1]!;
    return number === NO_NUMBER ? text : `${text}${number}`;
  }

  release(words: Int32Array, at: number): void {
    const index = words[at]!;
    const prefix = this.#prefixes[index]!;
    if (--prefix.count > 0) return;
    this.#indexes.delete(prefix.text);
    this.#free.push(index);
    prefix.text = '';
    if (this.#last === index) this.#last = 0;
  }

  /** Returns the index of the first `length` characters of an id, with one more reference. */
  #retainPrefix(id: string, length: number): number {
    const last = this.#prefixes[this.#last]!;
    if (last.text.length === length && id.startsWith(last.text)) {
      last.count++;
      return this.#last;
    }
    const text = id.slice(0, length);
    const known = this.#indexes.get(text);
    const index = known ?? this.#free.pop() ?? this.#prefixes.length;
    this.#last = index;
    if (known !== undefined) this.#prefixes[index]!.count++;
    else {
      this.#indexes.set(text, index);
      this.#prefixes[index] = { text, count: 1 };
    }
    return index;
  }
}
