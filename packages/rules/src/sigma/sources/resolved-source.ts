import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import { Names } from '../../language/resolve/names.ts';
import { resolveOperand } from '../../language/resolve/operand.ts';
import { Resolver } from '../../language/resolve/resolve.ts';
import { parseCondition, parseOperand } from '../../language/syntax/parser.ts';
import type { FieldIndex } from '../../model/catalogue.ts';
import type { Expression, Operand } from '../../model/expression.ts';
import type { LogSource, Mapping, Variant } from './taxonomy.ts';

/** Where a field's value is read. */
export interface Place<E> {
  readonly operand: Operand<E>;
  /** The events on which it is read; undefined: all. */
  readonly when: Expression<E> | undefined;
  readonly variant: Variant;
}

/** A field of a rule, looked up in the catalogue. */
export type Resolved<E> =
  | { readonly kind: 'places'; readonly places: readonly Place<E>[] }
  /** By value, in lower case. */
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, Expression<E>> }
  | { readonly kind: 'never'; readonly why: string; readonly repeats?: true };

const NEVER = { kind: 'constant', value: false } as const;

/** A log source whose names are looked up in a catalogue, each once. */
export class ResolvedSource<E> {
  readonly #source: LogSource;
  readonly #fields: FieldIndex<E>;
  readonly #known = new Map<string, Resolved<E>>();
  readonly events: Expression<E>;
  readonly text: readonly Place<E>[];
  readonly shown: readonly Operand<E>[];

  constructor(source: LogSource, fields: FieldIndex<E>) {
    this.#source = source;
    this.#fields = fields;
    this.events = this.#condition(source.events);
    this.text = this.#places(source.text);
    this.shown = source.shown.map((name) => this.#operand(name)).filter((operand) => operand !== undefined);
  }

  /** @throws Fault if there is no such field */
  field(name: string, at: number): Resolved<E> {
    const known = this.#known.get(name) ?? this.#resolve(name, at);
    this.#known.set(name, known);
    return known;
  }

  /** Returns a field that has one value. @throws Fault */
  operand(name: string, at: number): Operand<E> {
    const resolved = this.field(name, at);
    const places = resolved.kind === 'places' ? resolved.places : [];
    const [place, ...more] = places.filter(({ variant }) => variant.synonym !== true);
    if (place !== undefined && more.length === 0) return place.operand;
    const why = resolved.kind === 'never' ? resolved.why : 'it is not one field here';
    throw new Fault('unavailable', at, `'${name}' can't be used here: ${why}`);
  }

  #resolve(name: string, at: number): Resolved<E> {
    const mapping = Object.hasOwn(this.#source.fields, name) ? this.#source.fields[name] : undefined;
    if (mapping !== undefined) return this.#mapped(mapping);
    const operand = this.#operand(name);
    if (operand !== undefined)
      return { kind: 'places', places: [{ operand, when: undefined, variant: { field: name } }] };
    const hint = (): string => {
      const fields = Object.keys(this.#source.fields);
      const otherwise = `Fields of this log source: ${fields.slice(0, 12).join(', ')}, …`;
      return didYouMean(name, [...fields, ...this.#fields.names()], otherwise);
    };
    throw new Fault('unknown-field', at, `unknown field '${name}'`, hint);
  }

  #mapped(mapping: Mapping): Resolved<E> {
    if (typeof mapping !== 'string' && 'never' in mapping)
      return { kind: 'never', why: mapping.never, ...(mapping.repeats && { repeats: true }) };
    if (typeof mapping !== 'string' && 'values' in mapping) {
      const values = Object.entries(mapping.values).map(
        ([value, condition]) => [value.toLowerCase(), this.#condition(condition)] as const,
      );
      return { kind: 'values', values: new Map(values) };
    }
    const places = this.#places(typeof mapping === 'string' ? [{ field: mapping }] : mapping.any);
    if (places.length === 0) return { kind: 'never', why: 'no event here has it' };
    return { kind: 'places', places };
  }

  #places(variants: readonly Variant[]): Place<E>[] {
    const places: Place<E>[] = [];
    for (const variant of variants) {
      const { field, when } = variant;
      const operand = this.#operand(field);
      if (operand === undefined) continue;
      places.push({ operand, when: when === undefined ? undefined : this.#condition(when), variant });
    }
    return places;
  }

  /** Returns undefined if the catalogue has no such field. */
  #operand(text: string): Operand<E> | undefined {
    try {
      return resolveOperand(parseOperand(text), this.#fields);
    } catch (error) {
      if (error instanceof Fault) return undefined;
      throw error;
    }
  }

  /** A condition on fields that the catalogue does not have holds on no event. */
  #condition(text: string): Expression<E> {
    let failed = false;
    const expression = new Resolver(this.#fields, new Names<E>()).resolve(parseCondition(text), (severity) => {
      failed ||= severity === 'error';
    });
    return failed ? NEVER : expression;
  }
}
