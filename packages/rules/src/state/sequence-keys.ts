import type { Sequence, SequenceMatch } from '../sequence.ts';
import type { Automaton } from './automaton.ts';
import type { Hit } from './hits.ts';
import { keyOf } from './key.ts';
import { CHANGED, HELD, type Key } from './key-rows.ts';
import { close, heldBy, isIdle, newestOf, takeDue, takeHit } from './keyed.ts';
import { encodeKeyed, isOf, revive, type Saved } from './keyed-codec.ts';
import { type Link, type Links, NO_LINKS } from './links.ts';
import type { Partials } from './partials.ts';
import { Program } from './program.ts';
import { Progress } from './progress.ts';
import { matchOf, NO_MATCHES } from './sequence-match.ts';
import { Strays } from './strays.ts';
import { windowsOf } from './windows.ts';
import type { Witness } from './witness.ts';

/** What all sequences hold together. */
export interface Totals {
  keys: number;
  hits: number;
}

/** What one sequence remembers: its keys, the one unused for longest first. */
export class SequenceKeys {
  readonly name: string;
  /** hits that its keys hold */
  held = 0;
  /** restored entries that can't be its own */
  damaged = 0;
  readonly #links: Links;
  readonly #totals: Totals;
  readonly #changelog: boolean;
  readonly #strays: Strays;
  /** what is still to be revived: nobody has said what sequence it is of */
  readonly #saved = new Map<string, Saved>();
  #program: Program | undefined;
  #nextOrdinal = 0;
  /** since changes were taken */
  #changed: Key[] = [];
  readonly #forgotten = new Set<string>();
  /** keys in which something is finished unless an event comes */
  readonly #pending = new Set<Key>();

  /** @param changelog of `Changes` */
  constructor(name: string, links: Links, totals: Totals, changelog: boolean) {
    this.name = name;
    this.#changelog = changelog;
    this.#links = links;
    this.#totals = totals;
    this.#strays = new Strays(links.hits);
  }

  get size(): number {
    return (this.#program?.automaton.partials.taken ?? 0) + this.#saved.size;
  }

  /** Of one that is in use. */
  get #automaton(): Automaton {
    return this.#program!.automaton;
  }

  get #partials(): Partials {
    return this.#automaton.partials;
  }

  get #oldest(): Key {
    return this.#program?.automaton.partials.oldest ?? 0;
  }

  get maxspanUs(): number {
    return this.#program?.automaton.maxspanUs ?? 0;
  }

  /** Says which sequence it is of; what was restored goes on from where it stood. */
  use(sequence: Sequence<unknown>): void {
    if (this.#program !== undefined) return;
    this.#program = new Program(sequence, this.#links);
    const saved = [...this.#saved.values()].sort((a, b) => a.ordinal - b.ordinal);
    for (const one of saved) this.#revive(this.#program, one);
  }

  /** Before the first event. */
  restore(saved: Saved): void {
    const known = this.#find(saved.key);
    if (known !== 0) this.forget(known);
    this.#dropSaved(saved.key);
    this.#saved.set(saved.key, saved);
    this.#hold(1, saved.hits.length);
    if (this.#program !== undefined) this.#revive(this.#program, saved);
  }

  #revive({ automaton, sequence }: Program, saved: Saved): void {
    this.#dropSaved(saved.key);
    if (!isOf(sequence, automaton, saved)) {
      // It was of the sequence's name and not of the sequence.
      this.damaged++;
      this.#noteForgotten(saved.key);
      return;
    }
    const key = revive(automaton, saved);
    this.#hold(1, 0);
    this.#account(key);
    this.#nextOrdinal = Math.max(this.#nextOrdinal, saved.ordinal + 1);
  }

  #dropSaved(key: string): void {
    const saved = this.#saved.get(key);
    if (saved === undefined) return;
    this.#saved.delete(key);
    this.#hold(-1, -saved.hits.length);
  }

  /** So many keys and hits more; below 0: fewer. */
  #hold(keys: number, hits: number): void {
    this.held += hits;
    this.#totals.hits += hits;
    this.#totals.keys += keys;
  }

  /** What an event finishes. @param timeUs of the event, or the earliest that is still open @param clockUs of the newest event */
  take<E>(
    bits: number,
    event: E,
    timeUs: number,
    clockUs: number,
    openSinceUs: number,
    witness?: Witness<E>,
  ): readonly SequenceMatch[] {
    const program = this.#program!;
    const { groups } = program;
    let completed = NO_MATCHES;
    let left = bits;
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      if ((left & group.bits) === 0) continue;
      const key = keyOf(group.by, event);
      if (key === undefined) continue;
      // Two steps by different fields that have the same value are fitted by one event, not by two.
      const steps = program.bitsOf(key, event, left, i);
      left &= ~steps;
      const hit = program.hitOf(steps, event, timeUs, witness);
      const found = this.#takeHit(key, hit, clockUs, openSinceUs);
      this.#links.hits.release(hit);
      if (found.length > 0) completed = [...completed, ...this.#matchesOf(found)];
    }
    return completed;
  }

  #matchesOf(completed: readonly Link[]): SequenceMatch[] {
    const { keptIn } = this.#program!;
    return completed.map((link) => {
      const match = matchOf(keptIn, this.#links, link);
      this.#links.release(link);
      return match;
    });
  }

  #find(text: string): Key {
    return this.#program === undefined ? 0 : this.#program.automaton.partials.find(text);
  }

  /** @returns what is finished, to be released */
  #takeHit(text: string, hit: Hit, clockUs: number, openSinceUs: number): readonly Link[] {
    const { automaton, sequence } = this.#program!;
    const { partials } = automaton;
    const known = partials.find(text);
    if (known !== 0) {
      const completed = takeHit(automaton, known, hit, openSinceUs);
      this.#touch(known);
      return completed;
    }
    if ((this.#links.hits.stepsOf(hit) & automaton.begins) === 0) {
      this.#strays.put(text, hit);
      return NO_LINKS;
    }
    const key = partials.put(text, this.#nextOrdinal, clockUs, windowsOf(sequence));
    const completed = takeHit(automaton, key, hit, openSinceUs);
    if (isIdle(automaton, key)) {
      close(automaton, key);
      this.#strays.put(text, hit);
      return completed;
    }
    this.#nextOrdinal++;
    this.#hold(1, 0);
    const more = this.#strays.of(text, openSinceUs).flatMap((one) => takeHit(automaton, key, one, openSinceUs));
    this.#touch(key);
    return more.length === 0 ? completed : [...completed, ...more];
  }

  #touch(key: Key): void {
    this.#account(key);
    const { words } = this.#partials;
    if (words[key + CHANGED] === 1) return;
    words[key + CHANGED] = 1;
    if (this.#changelog) this.#changed.push(key);
  }

  #account(key: Key): void {
    const { waits, stages, partials } = this.#automaton;
    const held = heldBy(this.#automaton, key);
    this.#hold(0, held - partials.words[key + HELD]!);
    partials.words[key + HELD] = held;
    if (!waits) return;
    if (partials.newest(partials.now(key), stages - 1) !== 0) this.#pending.add(key);
    else this.#pending.delete(key);
  }

  /** What is finished because nothing came until `nowUs`, in the order of its last events: what is restored has no other. */
  due(nowUs: number): readonly SequenceMatch[] {
    if (this.#pending.size === 0) return NO_MATCHES;
    const completed: Link[] = [];
    for (const key of this.#pending) {
      const due = takeDue(this.#automaton, key, nowUs);
      if (due === undefined) continue;
      completed.push(...due);
      this.#touch(key);
    }
    const { hits } = this.#links;
    const last = (link: Link): Hit => this.#links.hitOf(link);
    completed.sort(
      (a, b) => hits.timeOf(last(a)) - hits.timeOf(last(b)) || (hits.idOf(last(a)) < hits.idOf(last(b)) ? -1 : 1),
    );
    return this.#matchesOf(completed);
  }

  /** The one put there longest ago first; it may be forgotten meanwhile. */
  *#keys(): Iterable<Key> {
    for (let key = this.#oldest; key !== 0; ) {
      const next = this.#partials.youngerThan(key);
      yield key;
      key = next;
    }
  }

  /** Forgets what can't become anything any more at `openSinceUs`. */
  expire(clockUs: number, openSinceUs: number): void {
    const partials = this.#partials;
    const deadUs = openSinceUs - this.maxspanUs;
    for (let key = partials.oldest; key !== 0 && partials.sinceOf(key) < deadUs; key = partials.oldest) {
      if (newestOf(this.#automaton, key) < deadUs) {
        this.forget(key);
        continue;
      }
      // It has begun anew since: its place is behind those that have not.
      partials.renew(key, this.#nextOrdinal++, clockUs);
      this.#touch(key);
    }
  }

  /** Forgets all that is of a time after `timeUs`. @returns how many keys that were */
  forgetAfter(timeUs: number): number {
    let forgotten = 0;
    for (const key of this.#keys()) {
      if (Math.max(this.#partials.sinceOf(key), newestOf(this.#automaton, key)) <= timeUs) continue;
      this.forget(key);
      forgotten++;
    }
    return forgotten;
  }

  clear(): void {
    for (const key of this.#keys()) this.forget(key);
    for (const text of this.#saved.keys()) this.#forgetSaved(text);
    this.#strays.clear();
  }

  /** False: there is none. */
  forgetOldest(): boolean {
    for (const text of this.#saved.keys()) {
      this.#forgetSaved(text);
      return true;
    }
    const oldest = this.#oldest;
    if (oldest !== 0) this.forget(oldest);
    return oldest !== 0;
  }

  #forgetSaved(key: string): void {
    this.#dropSaved(key);
    this.#noteForgotten(key);
  }

  forget(key: Key): void {
    this.#pending.delete(key);
    this.#hold(-1, -this.#partials.words[key + HELD]!);
    if (this.#changelog) this.#forgotten.add(this.#partials.textOf(key));
    close(this.#automaton, key);
  }

  #noteForgotten(text: string): void {
    if (this.#changelog) this.#forgotten.add(text);
  }

  /** Keys that changed since the last call, with what they have now; null: it is forgotten. */
  *takeChanged(): Iterable<readonly [text: string, value: Uint8Array | null]> {
    const changed = this.#changed;
    this.#changed = [];
    for (const key of changed) {
      const { words } = this.#partials;
      // If it doesn't say so, it was forgotten, and maybe is another's now.
      if (words[key + CHANGED] !== 1) continue;
      words[key + CHANGED] = 0;
      yield this.#entry(key);
    }
    for (const text of this.#forgotten) if (this.#find(text) === 0 && !this.#saved.has(text)) yield [text, null];
    this.#forgotten.clear();
  }

  *snapshot(): Iterable<readonly [text: string, value: Uint8Array]> {
    for (const [text, { bytes }] of this.#saved) yield [text, bytes];
    for (const key of this.#keys()) yield this.#entry(key);
  }

  #entry(key: Key): readonly [text: string, value: Uint8Array] {
    return [this.#partials.textOf(key), encodeKeyed(this.#automaton, key)];
  }

  /** What one key has come to, to be looked at; undefined: nothing has begun for it. */
  progress(text: string): Progress | undefined {
    const key = this.#find(text);
    return key === 0 ? undefined : new Progress(this.#automaton, key);
  }
}
