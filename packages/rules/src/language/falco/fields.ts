import { nearest } from '../../diagnostics/diagnostics.ts';
import type { FieldIndex, FieldLookup, FieldSpec } from '../../model/catalogue.ts';

const PREFIX = 'falco.';
const ARGUMENT = 'evt.arg.';
const RAW = 'evt.rawarg.';

/** Finds fields by their Falco names. A name always gives the same field. */
export class FalcoFields<E> implements FieldLookup<E> {
  readonly #index: FieldIndex<E>;
  readonly #made = new Map<string, FieldSpec<E> | undefined>();
  readonly #classes: ReadonlySet<string>;

  constructor(index: FieldIndex<E>) {
    this.#index = index;
    this.#classes = new Set([...index.names()].map((name) => classOf(unprefixed(name))));
  }

  find(name: string): FieldSpec<E> | undefined {
    const known = this.#index.find(PREFIX + name) ?? this.#index.find(name);
    if (known !== undefined) return known;
    if (!this.#made.has(name)) this.#made.set(name, this.#withArgument(name) ?? this.#missing(name));
    return this.#made.get(name);
  }

  native(name: string): FieldSpec<E> | undefined {
    return this.#index.find(name);
  }

  *names(): Iterable<string> {
    for (const name of this.#index.names()) yield unprefixed(name);
  }

  /** k8s.pod.label.app is k8s.pod.label[app]; evt.rawarg.path is evt.arg.path. */
  #withArgument(name: string): FieldSpec<E> | undefined {
    if (name.startsWith(RAW)) return this.find(ARGUMENT + name.slice(RAW.length));
    for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      const field = this.#index.find(PREFIX + name.slice(0, dot));
      if (field === undefined) continue;
      if (field.argument !== 'key') return undefined;
      const argument = name.slice(dot + 1);
      const { argument: _, argumentOptional: __, ...rest } = field;
      return { ...rest, name: `${field.name}[${argument}]`, get: (event) => field.get(event, argument) };
    }
    return undefined;
  }

  /** Returns a field of Falco that does not exist here; undefined: the name is more likely a typing error. */
  #missing(name: string): FieldSpec<E> | undefined {
    const kind = classOf(name);
    if (name.startsWith(ARGUMENT)) return absent(name, `no event has an argument '${name.slice(ARGUMENT.length)}'`);
    if (
      !/^[a-z]\w*(?:\.[a-z]\w*)+$/i.test(name) ||
      this.#classes.has(kind) ||
      nearest(kind, this.#classes) !== undefined
    )
      return undefined;
    return absent(name, `fields of '${kind}' come from a plugin of Falco, and plugins don't run here`);
  }
}

const classOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf('.')));
const unprefixed = (name: string): string => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);

function absent<E>(name: string, never: string): FieldSpec<E> {
  const get = (): undefined => undefined;
  return {
    name: PREFIX + name,
    type: 'string',
    doc: never,
    never,
    kinds: [],
    argument: 'key',
    argumentOptional: true,
    get,
  };
}
