import type { GivenFields } from './given-fields.ts';

/** The values of a written event, by type. A value is undefined when the event does not give it. */
export class Facts {
  readonly #fields: GivenFields;

  constructor(fields: GivenFields) {
    this.#fields = fields;
  }

  text(name: string): string | undefined {
    const value = this.#fields.get(name)?.value;
    return value === undefined ? undefined : typeof value === 'object' ? value.join(' ') : String(value);
  }

  number(name: string): number | undefined {
    const value = this.#fields.get(name)?.value;
    return typeof value === 'number' ? value : undefined;
  }

  bool(name: string): boolean | undefined {
    const value = this.#fields.get(name)?.value;
    return typeof value === 'boolean' ? value : undefined;
  }

  list(name: string): readonly string[] | undefined {
    const value = this.#fields.get(name)?.value;
    return typeof value === 'object' ? value : undefined;
  }

  /** Returns the arguments that a field is given with, each with its value. */
  arguments(name: string): [argument: string, value: string][] {
    return [...this.#fields.values()]
      .filter(({ field, argument }) => field.name === name && argument !== undefined)
      .map(({ argument, value }) => [String(argument), typeof value === 'object' ? value.join(' ') : String(value)]);
  }

  /** Whether the event gives a field whose name has this prefix. */
  any(prefix: string): boolean {
    return [...this.#fields.keys()].some((name) => name.startsWith(prefix));
  }

  /** Returns the parent's value: `process.parent.name` for `name`. */
  parent(name: string): string | undefined {
    return this.text(`process.parent.${name}`);
  }
}
