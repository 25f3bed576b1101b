import type { Explanation } from '@ringfence/rules';

/** Reasons why a rule matched none of many events. */
export interface Misses {
  /** Number of events without ticks. */
  readonly events: number;
  /** Number of events by kind, for kinds that the rule matches on. Kinds without events are omitted. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Failed parts of the condition with their number of events, the most frequent first. */
  readonly failed: readonly (readonly [part: string, events: number])[];
}

const SHOWN = 8;

/** Counts the failed parts of a rule's condition on events of its kinds. */
export class MissCounter {
  readonly #kinds: readonly string[];
  readonly #failed = new Map<string, number>();
  readonly #counts: Record<string, number> = {};
  #events = 0;

  constructor(kinds: readonly string[]) {
    this.#kinds = kinds;
  }

  /** @param explanation undefined when the event is of another kind */
  count(kind: string, explanation: Explanation | undefined): void {
    this.#events++;
    if (explanation === undefined || !this.#kinds.includes(kind)) return;
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    for (const part of new Set(failedParts(explanation, ''))) this.#failed.set(part, (this.#failed.get(part) ?? 0) + 1);
  }

  misses(): Misses {
    const failed = [...this.#failed].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
    return { events: this.#events, kinds: this.#counts, failed };
  }
}

/** Yields the parts each of which alone makes the condition fail; for a sequence, those of each step. */
function* failedParts(explanation: Explanation, of: string): Generator<string> {
  const { text, holds, actual, parts } = explanation;
  const [first] = parts;
  if (holds) return;
  if (text === 'and' || text === 'sequence') for (const part of parts) yield* failedParts(part, of);
  else if (actual !== undefined || first === undefined || text === 'or' || text === 'not')
    yield of + written(explanation);
  else yield* failedParts(first, `${of}${text}: `);
}

/** Returns the part on one line. */
function written({ text, actual, parts }: Explanation): string {
  if (actual !== undefined || parts.length === 0) return text;
  if (text === 'not') return `not ${inParentheses(parts[0]!)}`;
  return text === 'and' || text === 'or' ? parts.map(inParentheses).join(` ${text} `) : text;
}

const inParentheses = (part: Explanation): string =>
  part.text === 'and' || part.text === 'or' ? `(${written(part)})` : written(part);
