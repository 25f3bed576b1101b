import type { FieldValue, Subject } from '../model/catalogue.ts';
import type { Condition } from './order/junction.ts';
import type { LiteralIndex } from './search/literal-index.ts';

type Take = (entry: number) => void;

/** Stands for an absent subject: a process of the host has no container. */
const NOBODY = {};
const NONE: readonly number[] = [];

/** A literal index with the reader of its operand. */
export interface Lookup<E> {
  readonly index: LiteralIndex<E>;
  readonly read: () => FieldValue;
}

/** What is known of one subject. */
interface Found {
  /** By lookup: the entries that its facts make worth evaluating; undefined: not searched yet. */
  readonly candidates: (readonly number[] | undefined)[];
  /** By kind: the entries whose part about the subject holds; undefined: no event of the kind has come. */
  readonly holding: (readonly number[] | undefined)[];
}

/** The parts of a SubjectIndex. */
export interface SubjectParts<E> {
  readonly lookups: readonly Lookup<E>[];
  /** Entries about the subject that have no clue among its facts. */
  readonly clueless: readonly number[];
  /** Indexes of the subjects within this one. */
  readonly within: readonly SubjectIndex<E>[];
  /** By entry: the part of its condition that the subject's facts decide. */
  readonly parts: ReadonlyMap<number, Condition>;
  /** By entry: the number of its kind. */
  readonly kinds: readonly number[];
}

/**
 * The entries that the facts of a subject (a process, a container) make worth evaluating, on events of any kind. They
 * are searched on the subject's first event and cached for the following ones, since a process opens many files.
 */
export class SubjectIndex<E> {
  readonly #of: Subject<E>;
  readonly #parts: SubjectParts<E>;
  /** By kind: the lookups (by number) that may find its entries. */
  readonly #lookups: readonly number[][];
  readonly #clueless: readonly number[][];
  readonly #isAsked: readonly boolean[];
  readonly #found = new WeakMap<object, Found>();
  #last: object = NOBODY;
  #lastFound: Found | undefined;
  #kind = 0;
  #take: Take = () => {};
  readonly #takeOfKind = (entry: number): void => {
    if (this.#parts.kinds[entry] === this.#kind) this.#take(entry);
  };

  constructor(of: Subject<E>, kinds: number, parts: SubjectParts<E>) {
    this.#of = of;
    this.#parts = parts;
    const numbers = [...Array(kinds).keys()];
    const kindsOf = parts.lookups.map(({ index }) => new Set(index.entries().map((entry) => parts.kinds[entry])));
    this.#lookups = numbers.map((kind) => [...parts.lookups.keys()].filter((i) => kindsOf[i]!.has(kind)));
    this.#clueless = numbers.map((kind) => parts.clueless.filter((entry) => parts.kinds[entry] === kind));
    this.#isAsked = numbers.map(
      (kind) =>
        this.#lookups[kind]!.length + this.#clueless[kind]!.length > 0 ||
        parts.within.some((index) => index.isAsked(kind)),
    );
  }

  /** Whether the index has entries for events of the kind. */
  isAsked(kind: number): boolean {
    return this.#isAsked[kind]!;
  }

  /**
   * Calls `whole` for entries to evaluate as a whole, and `rest` for those of which only the rest is to be evaluated.
   */
  find(kind: number, event: E, whole: Take, rest: Take): void {
    if (!this.#isAsked[kind]) return;
    const subject = this.#of.of(event);
    if (subject === undefined) {
      this.#search(kind, event, whole);
      return;
    }
    const found = this.#foundOf(subject ?? NOBODY);
    const holding = found.holding[kind] ?? this.#hold(found, kind, event);
    for (let i = 0; i < holding.length; i++) rest(holding[i]!);
  }

  #foundOf(subject: object): Found {
    if (subject === this.#last && this.#lastFound !== undefined) return this.#lastFound;
    let found = this.#found.get(subject);
    if (found === undefined) {
      found = { candidates: [], holding: [] };
      this.#found.set(subject, found);
    }
    this.#last = subject;
    this.#lastFound = found;
    return found;
  }

  #hold(found: Found, kind: number, event: E): readonly number[] {
    const candidates = new Set<number>();
    this.#collect(found, kind, event, (entry) => candidates.add(entry));
    const holding: number[] = [];
    for (const entry of candidates) if (this.#parts.parts.get(entry)?.() !== false) holding.push(entry);
    found.holding[kind] = holding.length === 0 ? NONE : holding;
    return holding;
  }

  #collect({ candidates }: Found, kind: number, event: E, take: Take): void {
    const { lookups, within, kinds } = this.#parts;
    for (const lookup of this.#lookups[kind]!) {
      candidates[lookup] ??= candidatesOf(lookups[lookup]!);
      for (const entry of candidates[lookup]) if (kinds[entry] === kind) take(entry);
    }
    for (const index of within) index.each(kind, event, take);
    for (const entry of this.#clueless[kind]!) take(entry);
  }

  /** Calls `take` for the entries of a kind that may hold. */
  each(kind: number, event: E, take: Take): void {
    if (!this.#isAsked[kind]) return;
    const subject = this.#of.of(event);
    if (subject === undefined) this.#search(kind, event, take);
    else this.#collect(this.#foundOf(subject ?? NOBODY), kind, event, take);
  }

  /** Searches for an event whose subject is the event itself. */
  #search(kind: number, event: E, take: Take): void {
    const { lookups, within } = this.#parts;
    const numbers = this.#lookups[kind]!;
    const clueless = this.#clueless[kind]!;
    this.#kind = kind;
    this.#take = take;
    for (let i = 0; i < numbers.length; i++) {
      const { index, read } = lookups[numbers[i]!]!;
      index.find(read(), this.#takeOfKind);
    }
    for (let i = 0; i < within.length; i++) within[i]!.find(kind, event, take, take);
    for (let i = 0; i < clueless.length; i++) take(clueless[i]!);
  }
}

function candidatesOf<E>({ index, read }: Lookup<E>): readonly number[] {
  const found: number[] = [];
  index.find(read(), (entry) => found.push(entry));
  return found.length === 0 ? NONE : found;
}
