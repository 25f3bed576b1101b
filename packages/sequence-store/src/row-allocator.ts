const INITIAL_ROWS = 32;
/**
 * Words in front of the first row. glibc's malloc (64-bit) starts a large block 16 bytes behind a cache line, so rows
 * of whole cache lines are aligned to them, and shorter rows span as few lines as possible.
 */
const FIRST_ROW = 12;

/**
 * Rows of 32-bit words in one block of memory. Hundreds of thousands of rows lie together, and the garbage collector
 * sees a single object. A row is identified by the index of its first word; 0 means none.
 */
export class RowAllocator<Row extends number> {
  words: Int32Array;
  /** The same memory: the double at half the index of a word. */
  doubles: Float64Array;
  /** Rows in use. */
  used = 0;
  readonly #width: number;
  /** The row freed last; its first word points to the row freed before it. */
  #free = 0;
  /** Index behind the last row that was ever used. */
  #end = FIRST_ROW;

  /** @param width words of a row, an even number */
  constructor(width: number) {
    this.#width = width;
    this.words = new Int32Array(FIRST_ROW + INITIAL_ROWS * width);
    this.doubles = new Float64Array(this.words.buffer);
  }

  /** Returns a free row. The row is not zeroed. */
  allocate(): Row {
    this.used++;
    const row = this.#free;
    if (row !== 0) {
      this.#free = this.words[row]!;
      return row as Row;
    }
    const next = this.#end;
    this.#end += this.#width;
    if (this.#end > this.words.length) this.#grow();
    return next as Row;
  }

  free(row: Row): void {
    this.used--;
    this.words[row] = this.#free;
    this.#free = row;
    if (this.used === 0 && this.words.length > FIRST_ROW + INITIAL_ROWS * this.#width) this.#shrink();
  }

  #grow(): void {
    const { words } = this;
    this.#use(new Int32Array(FIRST_ROW + 2 * (words.length - FIRST_ROW)));
    this.words.set(words);
  }

  #shrink(): void {
    this.#free = 0;
    this.#end = FIRST_ROW;
    this.#use(new Int32Array(FIRST_ROW + INITIAL_ROWS * this.#width));
  }

  #use(words: Int32Array): void {
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }
}
