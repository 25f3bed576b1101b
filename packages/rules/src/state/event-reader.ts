import { type EventDetails, type EventRow, type EventRows, NO_DETAILS } from '@ringfence/sequence-store';
import type { FieldValue } from '../model/catalogue.ts';
import { type Operand, readOperand } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';
import type { Sequence } from '../model/sequence.ts';
import { keyOf, weightOf } from './key.ts';
import type { Witness } from './witness.ts';

/** Steps that have the same `by`: an event that fits several of them has one key. */
interface KeyGroup {
  readonly by: readonly Operand<unknown>[];
  readonly bits: number;
}

/** Reads from an event what its sequence remembers: keys, kept values, id and witness. */
export class EventReader {
  readonly groups: readonly KeyGroup[];
  readonly #sequence: Sequence<unknown>;
  readonly #events: EventRows;
  /** The last details by steps: an event often has the same values as the one before. */
  readonly #lastDetails = new Map<number, EventDetails>();
  /** Bit of the step whose event an alert is about if the alert is raised on a tick; 0: none. */
  readonly #witnessBit: number;

  constructor(sequence: Sequence<unknown>, events: EventRows) {
    this.groups = groupsOf(sequence);
    this.#sequence = sequence;
    this.#events = events;
    this.#witnessBit = witnessBitOf(sequence);
  }

  /** Returns those of `bits` whose group has number `from` or a later one and gives the event the same key. */
  bitsOf(key: string, event: unknown, bits: number, from: number): number {
    const { groups } = this;
    let all = groups[from]!.bits;
    for (let i = from + 1; i < groups.length; i++) {
      const group = groups[i]!;
      if ((bits & group.bits) !== 0 && keyOf(group.by, event) === key) all |= group.bits;
    }
    return bits & all;
  }

  /** Adds an event to the store. The caller releases it. */
  add<E>(steps: number, event: E, timeUs: number, witness: Witness<E> | undefined): EventRow {
    const { id } = this.#sequence;
    const kept = witness === undefined || (steps & this.#witnessBit) === 0 ? '' : witness.keep(event);
    const text = id === undefined ? undefined : readOperand(id, event);
    const details = this.#detailsOf(steps, event, kept);
    return this.#events.add(timeUs, steps, typeof text === 'string' ? text : '', details);
  }

  #detailsOf(steps: number, event: unknown, witness: string): EventDetails {
    const { kept } = this.#sequence;
    const weight = weightOf(this.#sequence.weight, event);
    if (kept.length === 0 && weight === 1 && witness === '') return NO_DETAILS;
    const last = this.#lastDetails.get(steps);
    if (last !== undefined && last.weight === weight && last.witness === witness && this.#hasValues(last, steps, event))
      return last;
    const values = kept.map((_, index) => this.#valueOf(index, steps, event));
    const made = { weight, values, witness };
    this.#lastDetails.set(steps, made);
    return made;
  }

  #hasValues({ values }: EventDetails, steps: number, event: unknown): boolean {
    for (let i = 0; i < values.length; i++) if (this.#valueOf(i, steps, event) !== values[i]) return false;
    return true;
  }

  #valueOf(index: number, steps: number, event: unknown): FieldValue {
    const { step, operand } = this.#sequence.kept[index]!;
    return (steps & (1 << step)) === 0 ? undefined : boundedValue(readOperand(operand, event));
  }
}

/** A sequence that ends with an event that must not come is reported on a tick: its alert is about its last event. */
function witnessBitOf({ ordered, steps }: Sequence<unknown>): number {
  const lastEvent = steps.findLastIndex(({ kind }) => kind === 'event');
  const lastMissing = steps.findLastIndex(({ kind }) => kind === 'missing');
  return ordered && lastMissing > lastEvent ? 1 << lastEvent : 0;
}

function groupsOf(sequence: Sequence<unknown>): KeyGroup[] {
  const groups = new Map<string, KeyGroup>();
  for (const [index, { by }] of sequence.steps.entries()) {
    const id = JSON.stringify(by.map(({ key }) => key));
    groups.set(id, { by, bits: (groups.get(id)?.bits ?? 0) | (1 << index) });
  }
  return [...groups.values()];
}

/** Longer values are compared and shown by their first characters and items. */
function boundedValue(value: FieldValue): FieldValue {
  if (typeof value === 'string') return value.slice(0, LIMITS.keptText);
  return typeof value === 'object'
    ? value.slice(0, LIMITS.keptItems).map((item) => item.slice(0, LIMITS.keptText))
    : value;
}
