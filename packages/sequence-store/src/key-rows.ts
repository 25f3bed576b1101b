import { type EventRow, type KeyRow, NO_KEY } from './handles.ts';
import { KeyIndex } from './key-index.ts';
import { PACKED_WORDS, PackedText, UNPACKED, unpacked } from './packed-text.ts';
import { RowAllocator } from './row-allocator.ts';
import { NO_WINDOWS, type RunWindows } from './run-windows.ts';

/** A row starts with doubles, at half of its index. Clock of the sequence when the key was added, in µs. */
const SINCE = 0;
/** Number of the key in its sequence's order of age: the oldest are evicted first. */
const ORDINAL = 1;
/** Time of the last event that was discarded for lack of room, in µs: later events are never placed before it. */
const CLOSED = 2;
/** Time of the middle event, in µs. */
const MIDDLE_TIME = 3;
/** Words follow: the neighbours in the order of age. */
const OLDER = 8;
const YOUNGER = 9;
/** 1: changed since the changes were taken. */
export const CHANGED = 10;
const TEXT_LENGTH = 11;
const TEXT = 12;
/** Approximate number of events that the key holds. */
export const HELD: number = TEXT + PACKED_WORDS;
/** The recent events, before which a late event may still be placed: a list in order of time, oldest first. 0: none. */
export const OLDEST: number = HELD + 1;
export const NEWEST: number = HELD + 2;
/** The recent event behind which the state is also stored; 0: none. */
export const MIDDLE: number = HELD + 3;
/** Number of recent events, and their memory in events. */
export const RECENT: number = HELD + 4;
export const RECENT_SIZE: number = HELD + 5;
/** The states of KeyStates follow. */
export const HEAD: number = HELD + 6;

/** Words of a cache line. */
const LINE = 16;

/** A sequence's keys, found by their text and linked by age, oldest first. */
export class KeyRows extends RowAllocator<KeyRow> {
  oldest: KeyRow = NO_KEY;
  #youngest: KeyRow = NO_KEY;
  readonly #width: number;
  readonly #index = new KeyIndex();
  readonly #text = new PackedText();
  /** Texts that don't fit a row. */
  readonly #texts = new Map<KeyRow, string>();
  /** By row number; empty unless the sequence has steps that come in runs. */
  readonly #windows: RunWindows[] = [];

  /** @param words words of a key's states */
  constructor(words: number) {
    const width = LINE * Math.ceil((HEAD + words) / LINE);
    super(width);
    this.#width = width;
  }

  /** Returns the row of a key; 0: none. */
  find(text: string): KeyRow {
    const { hash } = this.#text.set(text);
    for (let slot = this.#index.first(hash); slot !== -1; slot = this.#index.next(slot, hash)) {
      const key = this.#index.rowIn(slot);
      if (this.#hasText(key, text)) return key;
    }
    return NO_KEY;
  }

  /** Whether the key has this text, which was set in #text last. */
  #hasText(key: KeyRow, text: string): boolean {
    const { words } = this;
    const { words: packed, length } = this.#text;
    if (words[key + TEXT_LENGTH] !== length) return false;
    if (length === UNPACKED) return this.#texts.get(key) === text;
    for (let i = 0; i < PACKED_WORDS; i++) if (words[key + TEXT + i] !== packed[i]) return false;
    return true;
  }

  /** Adds an empty key as the youngest. */
  insert(text: string, ordinal: number, sinceUs: number, windows: RunWindows): KeyRow {
    const key = this.allocate();
    const { words: packed, length, hash } = this.#text.set(text);
    const { words } = this;
    words.fill(0, key, key + this.#width);
    words[key + TEXT_LENGTH] = length;
    if (length === UNPACKED) this.#texts.set(key, text);
    else for (let i = 0; i < PACKED_WORDS; i++) words[key + TEXT + i] = packed[i]!;
    if (windows.length > 0) this.#windows[this.#numberOf(key)] = windows;
    this.setClosed(key, Number.NEGATIVE_INFINITY);
    this.#index.add(hash, key);
    this.#append(key, ordinal, sinceUs);
    return key;
  }

  /** Deletes a key that holds no events. */
  delete(key: KeyRow): void {
    const { words } = this;
    this.#index.delete(this.#text.set(this.textOf(key)).hash, key);
    this.#unlink(key);
    this.#texts.delete(key);
    if (this.#windows.length > 0) this.#windows[this.#numberOf(key)] = NO_WINDOWS;
    words[key + CHANGED] = 0;
    this.free(key);
  }

  /** Makes a key the youngest. */
  renew(key: KeyRow, ordinal: number, sinceUs: number): void {
    this.#unlink(key);
    this.#append(key, ordinal, sinceUs);
  }

  textOf(key: KeyRow): string {
    const length = this.words[key + TEXT_LENGTH]!;
    return length === UNPACKED ? this.#texts.get(key)! : unpacked(this.words, key + TEXT, length);
  }

  windowsOf(key: KeyRow): RunWindows {
    return this.#windows.length === 0 ? NO_WINDOWS : this.#windows[this.#numberOf(key)]!;
  }

  /** Returns the next younger key; 0: none. */
  youngerThan(key: KeyRow): KeyRow {
    return this.words[key + YOUNGER]! as KeyRow;
  }

  sinceOf(key: KeyRow): number {
    return this.doubles[(key >> 1) + SINCE]!;
  }

  ordinalOf(key: KeyRow): number {
    return this.doubles[(key >> 1) + ORDINAL]!;
  }

  closedOf(key: KeyRow): number {
    return this.doubles[(key >> 1) + CLOSED]!;
  }

  setClosed(key: KeyRow, timeUs: number): void {
    this.doubles[(key >> 1) + CLOSED] = timeUs;
  }

  /** Valid only for a key with a middle event. */
  middleTimeOf(key: KeyRow): number {
    return this.doubles[(key >> 1) + MIDDLE_TIME]!;
  }

  setMiddle(key: KeyRow, event: EventRow, timeUs: number): void {
    this.words[key + MIDDLE] = event;
    this.doubles[(key >> 1) + MIDDLE_TIME] = timeUs;
  }

  #numberOf(key: KeyRow): number {
    return (key / this.#width) | 0;
  }

  #append(key: KeyRow, ordinal: number, sinceUs: number): void {
    const { words, doubles } = this;
    doubles[(key >> 1) + ORDINAL] = ordinal;
    doubles[(key >> 1) + SINCE] = sinceUs;
    words[key + OLDER] = this.#youngest;
    words[key + YOUNGER] = 0;
    if (this.#youngest === NO_KEY) this.oldest = key;
    else words[this.#youngest + YOUNGER] = key;
    this.#youngest = key;
  }

  #unlink(key: KeyRow): void {
    const { words } = this;
    const older = words[key + OLDER]! as KeyRow;
    const younger = words[key + YOUNGER]! as KeyRow;
    if (older === NO_KEY) this.oldest = younger;
    else words[older + YOUNGER] = younger;
    if (younger === NO_KEY) this.#youngest = older;
    else words[younger + OLDER] = older;
  }
}
