import { ByAge } from '@ringfence/schema';
import type { Operand } from '../expression.ts';
import type { CompiledRule } from '../rule.ts';
import type { Sequence } from '../sequence.ts';
import { type Hit, hitOf } from './hit.ts';
import { keyOf } from './key.ts';
import { heldBy, isIdle, Keyed, newestOf, replayRestored, takeHit } from './keyed.ts';
import { isOf } from './keyed-codec.ts';
import { Ordered } from './ordered.ts';
import { type Automaton, type Link, NO_LINKS } from './partial.ts';
import { Unordered } from './unordered.ts';
import { windowsOf } from './windows.ts';
import type { Witness } from './witness.ts';

/** Hits of unknown keys that a late beginning may still find. */
const STRAYS = 64;

/** Steps that have the same `by`: an event that fits several of them has one key. */
interface KeyGroup {
  readonly by: readonly Operand<unknown>[];
  readonly bits: number;
}

interface Program {
  readonly automaton: Automaton;
  readonly sequence: Sequence<unknown>;
  readonly groups: readonly KeyGroup[];
  /** bit of the step whose event an alert is about when nothing comes after it; 0: none */
  readonly told: number;
}

/** What one sequence remembers: its keys, the one unused for longest first. */
export class SequenceKeys {
  readonly name: string;
  readonly keys: ByAge<string, Keyed> = new ByAge();
  /** hits that its keys hold */
  held = 0;
  /** restored entries that can't be its own */
  damaged = 0;
  #program: Program | undefined;
  #nextOrdinal = 0;
  /** since changes were taken */
  #changed: Keyed[] = [];
  readonly #forgotten = new Set<string>();
  /** keys in which something is finished unless an event comes */
  readonly #pending = new Set<Keyed>();
  readonly #strays: { readonly key: string; readonly hit: Hit }[] = [];
  #nextStray = 0;

  constructor(name: string) {
    this.name = name;
  }

  get maxspanUs(): number {
    return this.#program?.automaton.maxspanUs ?? 0;
  }

  /** Says which sequence it is of; what was restored goes on from where it stood. */
  use(sequence: Sequence<unknown>): this {
    if (this.#program !== undefined) return this;
    const automaton = sequence.ordered ? new Ordered(sequence) : new Unordered(sequence);
    const last = sequence.steps.findLastIndex(({ kind }) => kind === 'event');
    const told = automaton.waits ? 1 << last : 0;
    this.#program = { automaton, sequence, groups: groupsOf(sequence), told };
    const restored = [...this.keys.values()].sort((a, b) => a.ordinal - b.ordinal);
    this.keys.clear();
    for (const keyed of restored) {
      if (!isOf(sequence, automaton, keyed)) {
        this.#drop(keyed);
        continue;
      }
      replayRestored(automaton, keyed);
      this.keys.set(keyed.key, keyed);
      this.#account(keyed);
      this.#nextOrdinal = keyed.ordinal + 1;
    }
    return this;
  }

  /** It was of the sequence's name and not of the sequence. */
  #drop(keyed: Keyed): void {
    this.damaged++;
    this.held -= keyed.held;
    this.#forgotten.add(keyed.key);
  }

  /** What an event finishes. @param timeUs of the event, or the earliest that is still open @param clockUs of the newest event */
  take<E>(
    bits: number,
    event: E,
    timeUs: number,
    clockUs: number,
    openSinceUs: number,
    witness?: Witness<E>,
  ): readonly Link[] {
    const { sequence, groups, told } = this.#program!;
    let completed = NO_LINKS;
    let left = bits;
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      if ((left & group.bits) === 0) continue;
      const key = keyOf(group.by, event);
      if (key === undefined) continue;
      // Two steps by different fields that have the same value are fitted by one event, not by two.
      const steps = this.#bitsOf(key, event, left, i);
      left &= ~steps;
      const kept = (steps & told) === 0 ? '' : witness?.keep(event);
      const found = this.#takeHit(key, hitOf(sequence, steps, event, timeUs, kept), clockUs, openSinceUs);
      if (found.length > 0) completed = [...completed, ...found];
    }
    return completed;
  }

  /** Steps of all groups in which the event has this key. */
  #bitsOf<E>(key: string, event: E, bits: number, from: number): number {
    const { groups } = this.#program!;
    let all = groups[from]!.bits;
    for (let i = from + 1; i < groups.length; i++) {
      const group = groups[i]!;
      if ((bits & group.bits) !== 0 && keyOf(group.by, event) === key) all |= group.bits;
    }
    return bits & all;
  }

  #takeHit(key: string, hit: Hit, clockUs: number, openSinceUs: number): readonly Link[] {
    const { automaton, sequence } = this.#program!;
    const known = this.keys.get(key);
    if (known !== undefined) {
      const completed = takeHit(automaton, known, hit, openSinceUs);
      this.#touch(known);
      return completed;
    }
    if ((hit.steps & automaton.begins) === 0) {
      this.#stray(key, hit);
      return NO_LINKS;
    }
    const keyed = new Keyed(key, automaton.start, windowsOf(sequence), this.#nextOrdinal, clockUs);
    const completed = takeHit(automaton, keyed, hit, openSinceUs);
    if (isIdle(automaton, keyed)) {
      this.#stray(key, hit);
      return completed;
    }
    this.keys.set(key, keyed);
    this.#nextOrdinal++;
    const more = this.#strayed(key, openSinceUs).flatMap((one) => takeHit(automaton, keyed, one, openSinceUs));
    this.#touch(keyed);
    return more.length === 0 ? completed : [...completed, ...more];
  }

  #stray(key: string, hit: Hit): void {
    this.#strays[this.#nextStray] = { key, hit };
    this.#nextStray = (this.#nextStray + 1) % STRAYS;
  }

  /** What came before the beginning that it belongs to: this one, or another that may still come. */
  #strayed(key: string, openSinceUs: number): Hit[] {
    return this.#strays
      .filter((stray) => stray.hit.timeUs >= openSinceUs && stray.key === key && !stray.hit.reported)
      .map((stray) => stray.hit)
      .sort((a, b) => a.timeUs - b.timeUs);
  }

  #touch(keyed: Keyed): void {
    this.#account(keyed);
    if (keyed.changed) return;
    keyed.changed = true;
    this.#changed.push(keyed);
  }

  #account(keyed: Keyed): void {
    const held = heldBy(keyed);
    this.held += held - keyed.held;
    keyed.held = held;
    const { waits, stages } = this.#program!.automaton;
    if (!waits) return;
    if (keyed.partial[stages - 1] !== undefined) this.#pending.add(keyed);
    else this.#pending.delete(keyed);
  }

  /** What is finished because nothing came until `nowUs`, in the order of its last events: what is restored has no other. */
  due(nowUs: number): readonly Link[] {
    if (this.#pending.size === 0) return NO_LINKS;
    const completed: Link[] = [];
    for (const keyed of this.#pending) {
      const { partial, completed: links } = this.#program!.automaton.due(keyed.partial, nowUs);
      if (partial === keyed.partial) continue;
      keyed.partial = partial;
      completed.push(...links);
      this.#touch(keyed);
    }
    return completed.sort((a, b) => a.hit.timeUs - b.hit.timeUs || (a.hit.id < b.hit.id ? -1 : 1));
  }

  /** Forgets what can't become anything any more at `openSinceUs`. */
  expire(clockUs: number, openSinceUs: number): void {
    const deadUs = openSinceUs - this.maxspanUs;
    for (const keyed of this.keys.values()) {
      if (keyed.sinceUs >= deadUs) return;
      if (newestOf(keyed) < deadUs) {
        this.forget(keyed);
        continue;
      }
      // It has begun anew since: its place is behind those that have not.
      this.keys.delete(keyed.key);
      keyed.sinceUs = clockUs;
      keyed.ordinal = this.#nextOrdinal++;
      this.keys.set(keyed.key, keyed);
      this.#touch(keyed);
    }
  }

  /** Before it is used. */
  put(keyed: Keyed): void {
    this.held += keyed.held - (this.keys.get(keyed.key)?.held ?? 0);
    this.keys.set(keyed.key, keyed);
  }

  clear(): void {
    for (const keyed of this.keys.values()) this.forget(keyed);
  }

  /** False: there is none. */
  forgetOldest(): boolean {
    const oldest = this.keys.takeOldest();
    if (oldest !== undefined) this.forget(oldest[1]);
    return oldest !== undefined;
  }

  forget(keyed: Keyed): void {
    this.keys.delete(keyed.key);
    this.#pending.delete(keyed);
    this.held -= keyed.held;
    this.#forgotten.add(keyed.key);
  }

  /** Keys that changed since the last call, with what they have now; undefined: it is forgotten. */
  *takeChanged(): Iterable<readonly [key: string, keyed: Keyed | undefined]> {
    const changed = this.#changed;
    this.#changed = [];
    for (const keyed of changed) {
      keyed.changed = false;
      if (this.keys.get(keyed.key) === keyed) yield [keyed.key, keyed];
    }
    for (const key of this.#forgotten) if (!this.keys.has(key)) yield [key, undefined];
    this.#forgotten.clear();
  }
}

function groupsOf(sequence: Sequence<unknown>): KeyGroup[] {
  const groups = new Map<string, KeyGroup>();
  for (const [index, { by }] of sequence.steps.entries()) {
    const id = JSON.stringify(by.map(({ key }) => key));
    groups.set(id, { by, bits: (groups.get(id)?.bits ?? 0) | (1 << index) });
  }
  return [...groups.values()];
}

/** Rules that are the same, whatever file they are in, go on with what was remembered. */
export function sequenceName<E>(rule: CompiledRule<E>, { kept }: Sequence<E>): string {
  const condition = rule.condition.trim().replace(/\s+/g, ' ');
  return JSON.stringify([rule.name, condition, kept.map(({ step, operand }) => `${step} ${operand.key}`)]);
}
