const ROWS_AT_FIRST = 32;
/**
 * Words in front of the first row. A large block of memory begins 16 bytes behind a line of the cache (malloc of glibc, 64-bit), so rows of whole
 * lines lie on lines, and shorter ones on as few as they can.
 */
const FIRST = 12;

/**
 * Rows of 32-bit words in one block of memory: what there are hundred thousands of lies together, and is nothing to the garbage collector. A row is
 * known by the place of its first word; 0 is none.
 */
export class Slab {
  words: Int32Array;
  /** the same memory: the double at half the place of a word */
  doubles: Float64Array;
  /** rows in use */
  taken = 0;
  readonly #width: number;
  /** the row given back last, which leads to the one before by its first word */
  #free = 0;
  /** where rows begin that were never used */
  #end = FIRST;

  /** @param width words of a row, an even number */
  constructor(width: number) {
    this.#width = width;
    this.words = new Int32Array(FIRST + ROWS_AT_FIRST * width);
    this.doubles = new Float64Array(this.words.buffer);
  }

  /** What it holds is what the last use has left. */
  takeRow(): number {
    this.taken++;
    const row = this.#free;
    if (row !== 0) {
      this.#free = this.words[row]!;
      return row;
    }
    const next = this.#end;
    this.#end += this.#width;
    if (this.#end > this.words.length) this.#grow();
    return next;
  }

  giveRow(row: number): void {
    this.taken--;
    this.words[row] = this.#free;
    this.#free = row;
    if (this.taken === 0 && this.words.length > FIRST + ROWS_AT_FIRST * this.#width) this.#shrink();
  }

  #grow(): void {
    const { words } = this;
    this.#use(new Int32Array(FIRST + 2 * (words.length - FIRST)));
    this.words.set(words);
  }

  #shrink(): void {
    this.#free = 0;
    this.#end = FIRST;
    this.#use(new Int32Array(FIRST + ROWS_AT_FIRST * this.#width));
  }

  #use(words: Int32Array): void {
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }
}
