/** Longest text that is stored in a row of numbers, if each character fits a byte. */
const PACKED = 32;
/** Words of a packed text. */
export const PACKED_WORDS: number = PACKED / 4;
/** Stands in place of the length of a text that doesn't fit. */
export const UNPACKED: number = PACKED + 1;

/** A secret seed: an attacker can't choose keys that collide. */
const SEED = crypto.getRandomValues(new Int32Array(4));
const FINAL_ROUNDS = 3;

/** The key that was set last, as numbers: its hash, and its text if that fits a row. */
export class PackedText {
  /** Four characters in each word, padded with zeros; for a text that doesn't fit, the words that were hashed. */
  words: Int32Array = new Int32Array(PACKED_WORDS);
  /** Characters, or UNPACKED. */
  length = 0;
  hash = 0;

  set(text: string): this {
    if (text.length > PACKED || !this.#pack(text)) return this.#setLong(text);
    this.length = text.length;
    this.hash = hashOf(this.words, (text.length + 3) >> 2, text.length);
    return this;
  }

  /** Returns false if a character doesn't fit a byte. */
  #pack(text: string): boolean {
    const { words } = this;
    const whole = text.length >> 2;
    let codes = 0;
    for (let w = 0; w < whole; w++) {
      const i = w << 2;
      const a = text.charCodeAt(i);
      const b = text.charCodeAt(i + 1);
      const c = text.charCodeAt(i + 2);
      const d = text.charCodeAt(i + 3);
      codes |= a | b | c | d;
      words[w] = a | (b << 8) | (c << 16) | (d << 24);
    }
    for (let w = whole; w < PACKED_WORDS; w++) words[w] = 0;
    for (let i = whole << 2; i < text.length; i++) {
      const code = text.charCodeAt(i);
      codes |= code;
      words[whole]! |= code << ((i & 3) << 3);
    }
    return codes <= 0xff;
  }

  #setLong(text: string): this {
    const count = (text.length + 1) >> 1;
    if (count > this.words.length) this.words = new Int32Array(count);
    for (let i = 0; i < count; i++) this.words[i] = text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 16);
    this.length = UNPACKED;
    this.hash = hashOf(this.words, count, ~text.length);
    return this;
  }
}

/** Returns the text of `length` characters packed in `words` from `at` on. */
export function unpacked(words: Int32Array, at: number, length: number): string {
  const codes = new Array<number>(length);
  for (let i = 0; i < length; i++) codes[i] = (words[at + (i >> 2)]! >>> ((i & 3) << 3)) & 0xff;
  return String.fromCharCode(...codes);
}

/** HalfSipHash-1-3 of the first `count` words and a last one. */
function hashOf(words: Int32Array, count: number, last: number): number {
  let v0 = SEED[0]!;
  let v1 = SEED[1]!;
  let v2 = SEED[2]! ^ 0x6c796765;
  let v3 = SEED[3]! ^ 0x74656462;
  for (let i = 0; i <= count + FINAL_ROUNDS; i++) {
    const word = i < count ? words[i]! : i === count ? last : 0;
    if (i === count + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
