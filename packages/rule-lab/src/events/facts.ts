import type { GivenEvent } from './given.ts';

/** What an event says, by type; undefined: it says nothing of it. */
export class Facts {
  readonly #given: GivenEvent;

  constructor(given: GivenEvent) {
    this.#given = given;
  }

  text(name: string): string | undefined {
    const value = this.#given.fields.get(name)?.value;
    return value === undefined ? undefined : typeof value === 'object' ? value.join(' ') : String(value);
  }

  number(name: string): number | undefined {
    const value = this.#given.fields.get(name)?.value;
    return typeof value === 'number' ? value : undefined;
  }

  bool(name: string): boolean {
    return this.#given.fields.get(name)?.value === true;
  }

  list(name: string): readonly string[] | undefined {
    const value = this.#given.fields.get(name)?.value;
    return typeof value === 'object' ? value : undefined;
  }

  /** Of a field with arguments: the value of each. */
  arguments(name: string): [argument: string, value: string][] {
    return [...this.#given.fields.values()]
      .filter(({ field, argument }) => field.name === name && argument !== undefined)
      .map(({ argument, value }) => [String(argument), typeof value === 'object' ? value.join(' ') : String(value)]);
  }

  /** Whether it says anything that begins so. */
  any(prefix: string): boolean {
    return [...this.#given.fields.keys()].some((name) => name.startsWith(prefix));
  }

  /** The same of its parent: `process.parent.name` is its `process.name`. */
  parent(name: string): string | undefined {
    return this.text(`process.parent.${name}`);
  }
}
