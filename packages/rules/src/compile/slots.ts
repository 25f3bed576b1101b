import { type FieldValue, unguarded } from '../model/catalogue.ts';
import { type Operand, transformed } from '../model/expression.ts';
import { subjectOf } from './subjects.ts';

/**
 * The event being matched and the values read from it: each operand is read at most once per event. A slot is valid if
 * its stamp is the current generation, so no slot is cleared between events.
 */
export class Slots<E> {
  generation = 0;
  readonly #byKey = new Map<string, () => FieldValue>();
  #event: E | undefined;

  begin(event: E): void {
    this.#event = event;
    this.generation++;
  }

  /** Forgets the values read from the event, but not those of its subjects. */
  forget(): void {
    this.generation++;
  }

  /** Drops the reference to the event. */
  end(): void {
    this.#event = undefined;
  }

  reader(operand: Operand<E>): () => FieldValue {
    const known = this.#byKey.get(operand.key);
    if (known !== undefined) return known;
    const reader = operand.transforms.length === 0 ? this.#plain(operand) : this.#transformed(operand);
    this.#byKey.set(operand.key, reader);
    return reader;
  }

  /** Caches the result of an expensive part of a condition for the other rules that have it. */
  remembered(evaluate: () => boolean): () => boolean {
    let stamp = -1;
    let result = false;
    return () => {
      if (stamp !== this.generation) {
        stamp = this.generation;
        result = evaluate();
      }
      return result;
    };
  }

  #plain(operand: Operand<E>): () => FieldValue {
    const { field, argument } = operand;
    const get = unguarded(field);
    const subject = subjectOf(operand);
    let stamp = -1;
    let value: FieldValue;
    let last: object | null | undefined;
    return () => {
      if (stamp === this.generation) return value;
      stamp = this.generation;
      const event = this.#event as E;
      const now = subject?.of(event);
      // Events of one process come in runs.
      if (now !== undefined && now === last) return value;
      last = now;
      value = get(event, argument);
      return value;
    };
  }

  #transformed(operand: Operand<E>): () => FieldValue {
    const base = operand.field.name;
    const plain = this.reader({
      ...operand,
      key: operand.argument === undefined ? base : `${base}[${operand.argument}]`,
      transforms: [],
    });
    let stamp = -1;
    let value: FieldValue;
    return () => {
      if (stamp !== this.generation) {
        stamp = this.generation;
        value = transformed(operand, plain());
      }
      return value;
    };
  }
}
