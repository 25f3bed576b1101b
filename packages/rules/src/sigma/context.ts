import type { Nodes } from '../compile/nodes/nodes.ts';
import { type KindsOf, possibleKinds } from '../compile/nodes/possible-kinds.ts';
import type { FilteredEvents } from '../interest/rule-interest.ts';
import { resolveOperand } from '../language/resolve/operand.ts';
import { type EventKinds, type FieldCatalogue, FieldIndex } from '../model/catalogue.ts';
import type { Operand } from '../model/expression.ts';
import type { Placeholders } from './detection/placeholders.ts';
import { ResolvedSource } from './sources/resolved-source.ts';
import type { LogSource } from './sources/taxonomy.ts';

export interface SigmaOptions {
  /**
   * Values of `%name%` in values with `|expand`, by name. A document of `placeholders` takes precedence.
   * @default none: rules with `|expand` are refused
   */
  readonly placeholders?: Placeholders;
}

/** What Sigma rules are compiled against. */
export interface SigmaInput<E> {
  readonly catalogue: FieldCatalogue<E>;
  readonly kinds: EventKinds<E>;
  /** Events that the sensor filters by path. @default none */
  readonly filtered?: readonly FilteredEvents[];
  readonly sigma?: SigmaOptions;
}

/** What all Sigma rules of a set share. */
export class Context<E> {
  readonly fields: FieldIndex<E>;
  readonly nodes: Nodes<E>;
  readonly placeholders: Placeholders;
  /** Events that the sensor filters by path. */
  readonly filtered: readonly FilteredEvents[];
  readonly kindsOf: KindsOf<E>;
  readonly #sources = new Map<string, ResolvedSource<E>>();

  constructor({ catalogue, kinds, filtered = [] }: SigmaInput<E>, nodes: Nodes<E>, placeholders: Placeholders) {
    this.fields = new FieldIndex(catalogue);
    this.kindsOf = possibleKinds(kinds.names, nodes);
    this.nodes = nodes;
    this.placeholders = placeholders;
    this.filtered = filtered;
  }

  /** Returns a field of the catalogue; undefined: there is none of that name. */
  operand(name: string): Operand<E> | undefined {
    if (this.fields.find(name) === undefined) return undefined;
    return resolveOperand({ name, argument: undefined, functions: [], at: 0 }, this.fields);
  }

  /** Resolves a log source once for all rules with the same `key`. */
  resolved(key: string, source: LogSource): ResolvedSource<E> {
    const known = this.#sources.get(key) ?? new ResolvedSource(source, this.fields);
    this.#sources.set(key, known);
    return known;
  }
}
