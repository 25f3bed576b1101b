import { ByAge } from '@ringfence/schema';
import type { CompiledRule } from '../rule.ts';
import type { Sequence, SequenceMatch } from '../sequence.ts';
import type { Hit } from './hits.ts';
import { keyOf } from './key.ts';
import { close, heldBy, isIdle, Keyed, newestOf, takeDue, takeHit } from './keyed.ts';
import { encodeKeyed, isOf, revive, type Saved } from './keyed-codec.ts';
import { type Link, type Links, NO_LINKS } from './links.ts';
import { Program } from './program.ts';
import { Progress } from './progress.ts';
import { matchOf, NO_MATCHES } from './sequence-match.ts';
import { Strays } from './strays.ts';
import { windowsOf } from './windows.ts';
import type { Witness } from './witness.ts';

/** What one sequence remembers: its keys, the one unused for longest first. */
export class SequenceKeys {
  readonly name: string;
  /** hits that its keys hold */
  held = 0;
  /** restored entries that can't be its own */
  damaged = 0;
  readonly #links: Links;
  readonly #strays: Strays;
  readonly #keys = new ByAge<string, Keyed>();
  /** what is still to be revived: nobody has said what sequence it is of */
  readonly #saved = new Map<string, Saved>();
  #program: Program | undefined;
  #nextOrdinal = 0;
  /** since changes were taken */
  #changed: Keyed[] = [];
  readonly #forgotten = new Set<string>();
  /** keys in which something is finished unless an event comes */
  readonly #pending = new Set<Keyed>();

  constructor(name: string, links: Links) {
    this.name = name;
    this.#links = links;
    this.#strays = new Strays(links.hits);
  }

  get size(): number {
    return this.#keys.size + this.#saved.size;
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
    const known = this.#keys.get(saved.key);
    if (known !== undefined) this.forget(known);
    this.#dropSaved(saved.key);
    this.#saved.set(saved.key, saved);
    this.held += saved.hits.length;
    if (this.#program !== undefined) this.#revive(this.#program, saved);
  }

  #revive({ automaton, sequence }: Program, saved: Saved): void {
    this.#dropSaved(saved.key);
    if (!isOf(sequence, automaton, saved)) {
      // It was of the sequence's name and not of the sequence.
      this.damaged++;
      this.#forgotten.add(saved.key);
      return;
    }
    const keyed = revive(automaton, saved);
    this.#keys.set(keyed.key, keyed);
    this.#account(keyed);
    this.#nextOrdinal = Math.max(this.#nextOrdinal, keyed.ordinal + 1);
  }

  #dropSaved(key: string): void {
    const saved = this.#saved.get(key);
    if (saved === undefined) return;
    this.#saved.delete(key);
    this.held -= saved.hits.length;
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
    const { sequence } = this.#program!;
    return completed.map((link) => {
      const match = matchOf(sequence, this.#links, link);
      this.#links.release(link);
      return match;
    });
  }

  /** @returns what is finished, to be released */
  #takeHit(key: string, hit: Hit, clockUs: number, openSinceUs: number): readonly Link[] {
    const { automaton, sequence } = this.#program!;
    const known = this.#keys.get(key);
    if (known !== undefined) {
      const completed = takeHit(automaton, known, hit, openSinceUs);
      this.#touch(known);
      return completed;
    }
    if ((this.#links.hits.stepsOf(hit) & automaton.begins) === 0) {
      this.#strays.put(key, hit);
      return NO_LINKS;
    }
    const keyed = new Keyed(key, automaton.partials.open(), windowsOf(sequence), this.#nextOrdinal, clockUs);
    const completed = takeHit(automaton, keyed, hit, openSinceUs);
    if (isIdle(automaton, keyed)) {
      close(automaton, keyed);
      this.#strays.put(key, hit);
      return completed;
    }
    this.#keys.set(key, keyed);
    this.#nextOrdinal++;
    const more = this.#strays.of(key, openSinceUs).flatMap((one) => takeHit(automaton, keyed, one, openSinceUs));
    this.#touch(keyed);
    return more.length === 0 ? completed : [...completed, ...more];
  }

  #touch(keyed: Keyed): void {
    this.#account(keyed);
    if (keyed.changed) return;
    keyed.changed = true;
    this.#changed.push(keyed);
  }

  #account(keyed: Keyed): void {
    const { automaton } = this.#program!;
    const held = heldBy(automaton, keyed);
    this.held += held - keyed.held;
    keyed.held = held;
    const { waits, stages, partials } = automaton;
    if (!waits) return;
    if (partials.newest(keyed.row + partials.size, stages - 1) !== 0) this.#pending.add(keyed);
    else this.#pending.delete(keyed);
  }

  /** What is finished because nothing came until `nowUs`, in the order of its last events: what is restored has no other. */
  due(nowUs: number): readonly SequenceMatch[] {
    if (this.#pending.size === 0) return NO_MATCHES;
    const completed: Link[] = [];
    for (const keyed of this.#pending) {
      const due = takeDue(this.#program!.automaton, keyed, nowUs);
      if (due === undefined) continue;
      completed.push(...due);
      this.#touch(keyed);
    }
    const { hits } = this.#links;
    const last = (link: Link): Hit => this.#links.hitOf(link);
    completed.sort(
      (a, b) => hits.timeOf(last(a)) - hits.timeOf(last(b)) || (hits.idOf(last(a)) < hits.idOf(last(b)) ? -1 : 1),
    );
    return this.#matchesOf(completed);
  }

  /** Forgets what can't become anything any more at `openSinceUs`. */
  expire(clockUs: number, openSinceUs: number): void {
    const { automaton } = this.#program!;
    const deadUs = openSinceUs - this.maxspanUs;
    for (const keyed of this.#keys.values()) {
      if (keyed.sinceUs >= deadUs) return;
      if (newestOf(automaton, keyed) < deadUs) {
        this.forget(keyed);
        continue;
      }
      // It has begun anew since: its place is behind those that have not.
      this.#keys.delete(keyed.key);
      keyed.sinceUs = clockUs;
      keyed.ordinal = this.#nextOrdinal++;
      this.#keys.set(keyed.key, keyed);
      this.#touch(keyed);
    }
  }

  /** Forgets all that is of a time after `timeUs`. @returns how many keys that were */
  forgetAfter(timeUs: number): number {
    let forgotten = 0;
    for (const keyed of this.#keys.values()) {
      if (Math.max(keyed.sinceUs, newestOf(this.#program!.automaton, keyed)) <= timeUs) continue;
      this.forget(keyed);
      forgotten++;
    }
    return forgotten;
  }

  clear(): void {
    for (const keyed of this.#keys.values()) this.forget(keyed);
    for (const key of this.#saved.keys()) this.#forgetSaved(key);
    this.#strays.clear();
  }

  /** False: there is none. */
  forgetOldest(): boolean {
    for (const key of this.#saved.keys()) {
      this.#forgetSaved(key);
      return true;
    }
    const oldest = this.#keys.takeOldest();
    if (oldest !== undefined) this.forget(oldest[1]);
    return oldest !== undefined;
  }

  #forgetSaved(key: string): void {
    this.#dropSaved(key);
    this.#forgotten.add(key);
  }

  forget(keyed: Keyed): void {
    this.#keys.delete(keyed.key);
    this.#pending.delete(keyed);
    this.held -= keyed.held;
    this.#forgotten.add(keyed.key);
    close(this.#program!.automaton, keyed);
  }

  /** Keys that changed since the last call, with what they have now; null: it is forgotten. */
  *takeChanged(): Iterable<readonly [key: string, value: Uint8Array | null]> {
    const changed = this.#changed;
    this.#changed = [];
    for (const keyed of changed) {
      keyed.changed = false;
      if (this.#keys.get(keyed.key) === keyed) yield [keyed.key, encodeKeyed(this.#program!.automaton, keyed)];
    }
    for (const key of this.#forgotten) if (!this.#keys.has(key) && !this.#saved.has(key)) yield [key, null];
    this.#forgotten.clear();
  }

  *snapshot(): Iterable<readonly [key: string, value: Uint8Array]> {
    for (const [key, { bytes }] of this.#saved) yield [key, bytes];
    for (const [key, keyed] of this.#keys) yield [key, encodeKeyed(this.#program!.automaton, keyed)];
  }

  /** What one key has come to, to be looked at; undefined: nothing has begun for it. */
  progress(key: string): Progress | undefined {
    const keyed = this.#keys.get(key);
    return keyed && new Progress(this.#program!.automaton, keyed);
  }
}

/** Rules that are the same, whatever file they are in, go on with what was remembered. */
export function sequenceName<E>(rule: CompiledRule<E>, { kept }: Sequence<E>): string {
  const condition = rule.condition.trim().replace(/\s+/g, ' ');
  return JSON.stringify([rule.name, condition, kept.map(({ step, operand }) => `${step} ${operand.key}`)]);
}
