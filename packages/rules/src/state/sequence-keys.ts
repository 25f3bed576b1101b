import type { Operand } from '../expression.ts';
import type { CompiledRule } from '../rule.ts';
import type { Sequence } from '../sequence.ts';
import { type Hit, hitOf } from './hit.ts';
import { keyOf } from './key.ts';
import { heldBy, isIdle, type Keyed, newestOf, replay, takeHit } from './keyed.ts';
import { Ordered } from './ordered.ts';
import { type Automaton, type Link, NO_LINKS, windowsOf } from './partial.ts';
import { Unordered } from './unordered.ts';
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

export interface Completed {
  readonly key: string;
  readonly link: Link;
}

/** What one sequence remembers: its keys, the one unused for longest first. */
export class SequenceKeys {
  readonly name: string;
  readonly keys: Map<string, Keyed> = new Map();
  /** keys that changed since the last time they were taken */
  readonly changed: Set<string> = new Set();
  /** hits that its keys hold */
  held = 0;
  #program: Program | undefined;
  #nextOrdinal = 0;
  /** keys in which something is finished unless an event comes */
  readonly #pending = new Set<string>();
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
    const restored = [...this.keys].sort(([, a], [, b]) => a.ordinal - b.ordinal);
    this.keys.clear();
    for (const [key, keyed] of restored) {
      if (keyed.recent.length > 0) replay(automaton, keyed, 0);
      this.keys.set(key, keyed);
      this.#account(key, keyed);
      this.#nextOrdinal = keyed.ordinal + 1;
    }
    return this;
  }

  /** @param timeUs of the event, or the earliest that is still open @param clockUs of the newest event */
  take<E>(
    bits: number,
    event: E,
    timeUs: number,
    clockUs: number,
    openSinceUs: number,
    witness?: Witness<E>,
  ): readonly Completed[] {
    const { sequence, groups, told } = this.#program!;
    let completed: readonly Completed[] = NOTHING;
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
      if (found.length > 0) completed = [...completed, ...found.map((link) => ({ key, link }))];
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
    const { automaton } = this.#program!;
    const known = this.keys.get(key);
    if (known !== undefined) return this.#touched(key, known, takeHit(automaton, known, hit, openSinceUs));
    const keyed = this.#fresh(clockUs);
    const completed = takeHit(automaton, keyed, hit, openSinceUs);
    if (isIdle(automaton, keyed)) {
      this.#strays[this.#nextStray] = { key, hit };
      this.#nextStray = (this.#nextStray + 1) % STRAYS;
      return completed;
    }
    this.keys.set(key, keyed);
    this.#nextOrdinal++;
    const later = hit.timeUs < clockUs ? this.#strayed(key, hit.timeUs) : [];
    const more = later.flatMap((one) => takeHit(automaton, keyed, one, openSinceUs));
    return this.#touched(key, keyed, more.length === 0 ? completed : [...completed, ...more]);
  }

  #fresh(clockUs: number): Keyed {
    const { automaton, sequence } = this.#program!;
    return {
      partial: automaton.start,
      recent: [],
      windows: windowsOf(sequence),
      ordinal: this.#nextOrdinal,
      sinceUs: clockUs,
      held: 0,
    };
  }

  /** What came before the beginning that it belongs to. */
  #strayed(key: string, afterUs: number): Hit[] {
    return this.#strays
      .filter((stray) => stray.key === key && stray.hit.timeUs > afterUs && !stray.hit.reported)
      .map((stray) => stray.hit)
      .sort((a, b) => a.timeUs - b.timeUs);
  }

  #touched(key: string, keyed: Keyed, completed: readonly Link[]): readonly Link[] {
    this.changed.add(key);
    this.#account(key, keyed);
    return completed;
  }

  #account(key: string, keyed: Keyed): void {
    const held = heldBy(keyed);
    this.held += held - keyed.held;
    keyed.held = held;
    if (!this.#program!.automaton.waits) return;
    if (keyed.partial.waiting.at(-1)!.length > 0) this.#pending.add(key);
    else this.#pending.delete(key);
  }

  /** What is finished because nothing came until `nowUs`. */
  due(nowUs: number): readonly Completed[] {
    if (this.#pending.size === 0) return NOTHING;
    const completed: Completed[] = [];
    for (const key of this.#pending) {
      const keyed = this.keys.get(key)!;
      const { partial, completed: links } = this.#program!.automaton.due(keyed.partial, nowUs);
      if (partial === keyed.partial) continue;
      keyed.partial = partial;
      completed.push(...links.map((link) => ({ key, link })));
      this.#touched(key, keyed, NO_LINKS);
    }
    return completed;
  }

  /** Forgets what can't become anything any more at `openSinceUs`. */
  expire(clockUs: number, openSinceUs: number): void {
    const deadUs = openSinceUs - this.maxspanUs;
    for (const [key, keyed] of this.keys) {
      if (keyed.sinceUs >= deadUs) return;
      if (newestOf(keyed) < deadUs) {
        this.forget(key);
        continue;
      }
      // It has begun anew since: its place is behind those that have not.
      this.keys.delete(key);
      Object.assign(keyed, { sinceUs: clockUs, ordinal: this.#nextOrdinal++ });
      this.keys.set(key, keyed);
      this.changed.add(key);
    }
  }

  /** Before it is used. */
  put(key: string, keyed: Keyed): void {
    this.keys.set(key, keyed);
    this.held += keyed.held;
  }

  clear(): void {
    for (const key of this.keys.keys()) this.forget(key);
  }

  forget(key: string): void {
    const keyed = this.keys.get(key);
    if (keyed === undefined) return;
    this.keys.delete(key);
    this.#pending.delete(key);
    this.held -= keyed.held;
    this.changed.add(key);
  }
}

const NOTHING: readonly Completed[] = [];

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
