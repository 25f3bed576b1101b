import type { Hit } from './hits.ts';
import { KeyIndex } from './key-index.ts';
import { PACKED_WORDS, PackedText, UNPACKED, unpacked } from './packed-text.ts';
import { Slab } from './slab.ts';
import { NO_WINDOWS, type Windows } from './windows.ts';

/** What is remembered of one key of a sequence: a row of KeyRows. 0: none. */
export type Key = number;

/** A row begins with doubles, by half of its place. µs by the sequence's clock when it was put there */
const SINCE = 0;
/** which one it was of its sequence's, in order: the oldest give way first */
const ORDINAL = 1;
/** µs of the last hit that had to go because there were too many: nothing comes before it any more */
const CLOSED = 2;
/** µs of the hit in the middle */
const MIDDLE_TIME = 3;
/** Then words: the keys put there before it and behind it. */
const OLDER = 8;
const YOUNGER = 9;
/** 1: since what changed was taken */
export const CHANGED = 10;
const TEXT_LENGTH = 11;
const TEXT = 12;
/** hits that it holds, about */
export const HELD: number = TEXT + PACKED_WORDS;
/** Hits that others may still come before, in order of time: the oldest leads to the others. 0: none */
export const OLDEST: number = HELD + 1;
export const NEWEST: number = HELD + 2;
/** the one of them behind which it is also known what there was; 0: none */
export const MIDDLE: number = HELD + 3;
/** how many they are, and their memory, in hits */
export const RECENT: number = HELD + 4;
export const RECENT_SIZE: number = HELD + 5;
/** Behind it is what it has come to. */
export const HEAD: number = HELD + 6;

/** words of a line of the cache */
const LINE = 16;

/** A sequence's keys, found by their text, the one put there longest ago first. */
export class KeyRows extends Slab {
  oldest: Key = 0;
  #youngest: Key = 0;
  readonly #width: number;
  readonly #index = new KeyIndex();
  readonly #text = new PackedText();
  /** texts that don't fit a row */
  readonly #texts = new Map<Key, string>();
  /** by number of the row, of a sequence that has any */
  readonly #windows: Windows[] = [];

  /** @param words of what a key has come to */
  constructor(words: number) {
    const width = LINE * Math.ceil((HEAD + words) / LINE);
    super(width);
    this.#width = width;
  }

  find(text: string): Key {
    const { hash } = this.#text.set(text);
    for (let slot = this.#index.first(hash); slot !== -1; slot = this.#index.next(slot, hash)) {
      const key = this.#index.rowIn(slot);
      if (this.#isSet(key, text)) return key;
    }
    return 0;
  }

  /** Is it of the text that was set last? */
  #isSet(key: Key, text: string): boolean {
    const { words } = this;
    const { words: own, length } = this.#text;
    if (words[key + TEXT_LENGTH] !== length) return false;
    if (length === UNPACKED) return this.#texts.get(key) === text;
    for (let i = 0; i < PACKED_WORDS; i++) if (words[key + TEXT + i] !== own[i]) return false;
    return true;
  }

  /** Puts there one in which nothing has begun, the youngest. */
  put(text: string, ordinal: number, sinceUs: number, windows: Windows): Key {
    const key = this.takeRow();
    const { words: own, length, hash } = this.#text.set(text);
    const { words } = this;
    words.fill(0, key, key + this.#width);
    words[key + TEXT_LENGTH] = length;
    if (length === UNPACKED) this.#texts.set(key, text);
    else for (let i = 0; i < PACKED_WORDS; i++) words[key + TEXT + i] = own[i]!;
    if (windows.length > 0) this.#windows[this.#numberOf(key)] = windows;
    this.setClosed(key, Number.NEGATIVE_INFINITY);
    this.#index.add(hash, key);
    this.#append(key, ordinal, sinceUs);
    return key;
  }

  /** Of one that holds nothing. */
  delete(key: Key): void {
    const { words } = this;
    this.#index.delete(this.#text.set(this.textOf(key)).hash, key);
    this.#unlink(key);
    this.#texts.delete(key);
    if (this.#windows.length > 0) this.#windows[this.#numberOf(key)] = NO_WINDOWS;
    words[key + CHANGED] = 0;
    this.giveRow(key);
  }

  /** Its place is behind all others. */
  renew(key: Key, ordinal: number, sinceUs: number): void {
    this.#unlink(key);
    this.#append(key, ordinal, sinceUs);
  }

  textOf(key: Key): string {
    const length = this.words[key + TEXT_LENGTH]!;
    return length === UNPACKED ? this.#texts.get(key)! : unpacked(this.words, key + TEXT, length);
  }

  windowsOf(key: Key): Windows {
    return this.#windows.length === 0 ? NO_WINDOWS : this.#windows[this.#numberOf(key)]!;
  }

  /** The one put there next; 0: there is none. */
  youngerThan(key: Key): Key {
    return this.words[key + YOUNGER]!;
  }

  sinceOf(key: Key): number {
    return this.doubles[(key >> 1) + SINCE]!;
  }

  ordinalOf(key: Key): number {
    return this.doubles[(key >> 1) + ORDINAL]!;
  }

  closedOf(key: Key): number {
    return this.doubles[(key >> 1) + CLOSED]!;
  }

  setClosed(key: Key, timeUs: number): void {
    this.doubles[(key >> 1) + CLOSED] = timeUs;
  }

  /** Only when there is a hit in the middle. */
  middleTimeOf(key: Key): number {
    return this.doubles[(key >> 1) + MIDDLE_TIME]!;
  }

  /** @param hit 0: none */
  setMiddle(key: Key, hit: Hit, timeUs: number): void {
    this.words[key + MIDDLE] = hit;
    this.doubles[(key >> 1) + MIDDLE_TIME] = timeUs;
  }

  #numberOf(key: Key): number {
    return (key / this.#width) | 0;
  }

  #append(key: Key, ordinal: number, sinceUs: number): void {
    const { words, doubles } = this;
    doubles[(key >> 1) + ORDINAL] = ordinal;
    doubles[(key >> 1) + SINCE] = sinceUs;
    words[key + OLDER] = this.#youngest;
    words[key + YOUNGER] = 0;
    if (this.#youngest === 0) this.oldest = key;
    else words[this.#youngest + YOUNGER] = key;
    this.#youngest = key;
  }

  #unlink(key: Key): void {
    const { words } = this;
    const older = words[key + OLDER]!;
    const younger = words[key + YOUNGER]!;
    if (older === 0) this.oldest = younger;
    else words[older + YOUNGER] = younger;
    if (younger === 0) this.#youngest = older;
    else words[younger + OLDER] = older;
  }
}
