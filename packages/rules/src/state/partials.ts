import type { Hit, Hits } from './hits.ts';
import { HEAD, type Key, KeyRows } from './key-rows.ts';
import type { Link, Links } from './links.ts';

const STATES = 3;

/**
 * What keys of a sequence have come to: for each event step what waits behind it, the newest first, and at the end the last event that must not have come
 * before the first. A row holds that three times: as it is now, as it was behind one of the recent hits, and before them. Who works on one says at which
 * place it begins.
 */
export class Partials extends KeyRows {
  readonly hits: Hits;
  readonly links: Links;
  /** by step: how many may wait behind it */
  readonly rooms: readonly number[];
  /** words of one */
  readonly size: number;
  /** something must not come before the first step: the last word is the last event that did */
  readonly guarded: boolean;
  readonly #starts: readonly number[];

  constructor(links: Links, rooms: readonly number[], guarded: boolean) {
    const size = rooms.reduce((sum, one) => sum + one, 0) + (guarded ? 1 : 0);
    super(STATES * size);
    this.hits = links.hits;
    this.links = links;
    this.rooms = rooms;
    this.size = size;
    this.guarded = guarded;
    this.#starts = rooms.map((_, s) => rooms.slice(0, s).reduce((sum, one) => sum + one, 0));
  }

  /** Lets go of what it has come to. */
  close(key: Key): void {
    this.clear(this.now(key));
    this.clear(this.middle(key));
    this.clear(this.before(key));
  }

  now(key: Key): number {
    return key + HEAD;
  }

  middle(key: Key): number {
    return key + HEAD + this.size;
  }

  before(key: Key): number {
    return key + HEAD + 2 * this.size;
  }

  clear(at: number): void {
    for (let s = 0; s < this.rooms.length; s++) this.cut(at, s, 0);
    if (this.guarded) this.putGuard(at, 0);
  }

  copy(from: number, to: number): void {
    const { words, links, size, guarded } = this;
    const end = guarded ? size - 1 : size;
    for (let i = 0; i < end; i++) {
      const link = words[from + i]!;
      if (link === words[to + i]) continue;
      if (link !== 0) links.retain(link);
      if (words[to + i] !== 0) links.release(words[to + i]!);
      words[to + i] = link;
    }
    if (guarded) this.putGuard(to, this.guard(from));
  }

  /** The place of the newest behind step `s`; the others follow, up to a 0 or the end of its room. */
  first(at: number, s: number): number {
    return at + this.#starts[s]!;
  }

  newest(at: number, s: number): Link {
    return this.rooms[s] === 0 ? 0 : this.words[at + this.#starts[s]!]!;
  }

  length(at: number, s: number): number {
    const { words } = this;
    const first = this.first(at, s);
    const room = this.rooms[s]!;
    let length = 0;
    while (length < room && words[first + length] !== 0) length++;
    return length;
  }

  /** Newest first. */
  queue(at: number, s: number): Link[] {
    const first = this.first(at, s);
    return [...this.words.subarray(first, first + this.length(at, s))];
  }

  /** Puts one in front; who has room for no more than one gives way, of several the oldest. */
  push(at: number, s: number, link: Link): void {
    const { words } = this;
    const first = this.first(at, s);
    const end = first + this.rooms[s]! - 1;
    if (words[end] !== 0) this.links.release(words[end]!);
    words.copyWithin(first + 1, first, end);
    words[first] = link;
    this.links.retain(link);
  }

  /** Lets go of the newest. */
  shift(at: number, s: number): void {
    const { words } = this;
    const first = this.first(at, s);
    const end = first + this.rooms[s]!;
    if (words[first] !== 0) this.links.release(words[first]!);
    words.copyWithin(first, first + 1, end);
    words[end - 1] = 0;
  }

  /** Lets go of all but the newest `length`. */
  cut(at: number, s: number, length: number): void {
    const { words } = this;
    const first = this.first(at, s);
    for (let i = first + length; i < first + this.rooms[s]! && words[i] !== 0; i++) {
      this.links.release(words[i]!);
      words[i] = 0;
    }
  }

  /** Lets go of those that `keep` refuses. */
  filter(at: number, s: number, keep: (link: Link) => boolean): void {
    const { words } = this;
    const first = this.first(at, s);
    const length = this.length(at, s);
    let kept = first;
    for (let i = first; i < first + length; i++) {
      const link = words[i]!;
      if (keep(link)) words[kept++] = link;
      else this.links.release(link);
    }
    words.fill(0, kept, first + length);
  }

  guard(at: number): Hit {
    return this.guarded ? this.words[at + this.size - 1]! : 0;
  }

  /** Of one that is guarded. */
  putGuard(at: number, hit: Hit): void {
    const old = this.guard(at);
    if (old === hit) return;
    if (hit !== 0) this.hits.retain(hit);
    if (old !== 0) this.hits.release(old);
    this.words[at + this.size - 1] = hit;
  }

  isEmpty(at: number): boolean {
    for (let i = at; i < at + this.size; i++) if (this.words[i] !== 0) return false;
    return true;
  }

  /** Hits that it holds, about: those that several hold are counted for each. */
  heldBy(at: number): number {
    let held = 0;
    for (let s = 0; s < this.rooms.length; s++) held += this.length(at, s) * (s + 1);
    return held;
  }
}
