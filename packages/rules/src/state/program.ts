import { type Operand, readOperand } from '../expression.ts';
import type { CompiledRule } from '../rule.ts';
import type { Sequence } from '../sequence.ts';
import type { Automaton } from './automaton.ts';
import { ExtrasMaker } from './extras.ts';
import type { Hit } from './hits.ts';
import { keyOf } from './key.ts';
import type { Links } from './links.ts';
import { Ordered } from './ordered.ts';
import { stagesOfKept } from './sequence-match.ts';
import { Unordered } from './unordered.ts';
import type { Witness } from './witness.ts';

/** Steps that have the same `by`: an event that fits several of them has one key. */
interface KeyGroup {
  readonly by: readonly Operand<unknown>[];
  readonly bits: number;
}

/** A sequence, made ready for its events. */
export class Program {
  readonly automaton: Automaton;
  readonly sequence: Sequence<unknown>;
  readonly groups: readonly KeyGroup[];
  /** see stagesOfKept */
  readonly keptIn: readonly number[];
  readonly #links: Links;
  readonly #extras: ExtrasMaker;
  /** bit of the step whose event an alert is about when nothing comes after it; 0: none */
  readonly #told: number;

  constructor(sequence: Sequence<unknown>, links: Links) {
    this.automaton = sequence.ordered ? new Ordered(sequence, links) : new Unordered(sequence, links);
    this.sequence = sequence;
    this.groups = groupsOf(sequence);
    this.keptIn = stagesOfKept(sequence);
    this.#links = links;
    this.#extras = new ExtrasMaker(sequence);
    this.#told = this.automaton.waits ? 1 << sequence.steps.findLastIndex(({ kind }) => kind === 'event') : 0;
  }

  /** Those of `bits` whose group is number `from` or a later one in which the event has the same key. */
  bitsOf(key: string, event: unknown, bits: number, from: number): number {
    const { groups } = this;
    let all = groups[from]!.bits;
    for (let i = from + 1; i < groups.length; i++) {
      const group = groups[i]!;
      if ((bits & group.bits) !== 0 && keyOf(group.by, event) === key) all |= group.bits;
    }
    return bits & all;
  }

  /** To be released. */
  hitOf<E>(steps: number, event: E, timeUs: number, witness: Witness<E> | undefined): Hit {
    const { id } = this.sequence;
    const kept = witness === undefined || (steps & this.#told) === 0 ? '' : witness.keep(event);
    const text = id === undefined ? undefined : readOperand(id, event);
    const extras = this.#extras.make(steps, event, kept);
    return this.#links.hits.add(timeUs, steps, typeof text === 'string' ? text : '', extras);
  }
}

/** Rules that are the same, whatever file they are in, go on with what was remembered. */
export function sequenceName<E>(rule: CompiledRule<E>, { kept }: Sequence<E>): string {
  const condition = rule.condition.trim().replace(/\s+/g, ' ');
  return JSON.stringify([rule.name, condition, kept.map(({ step, operand }) => `${step} ${operand.key}`)]);
}

function groupsOf(sequence: Sequence<unknown>): KeyGroup[] {
  const groups = new Map<string, KeyGroup>();
  for (const [index, { by }] of sequence.steps.entries()) {
    const id = JSON.stringify(by.map(({ key }) => key));
    groups.set(id, { by, bits: (groups.get(id)?.bits ?? 0) | (1 << index) });
  }
  return [...groups.values()];
}
