import { Fault } from '../../diagnostics/errors.ts';
import type { Yaml, YamlEntry, YamlText } from '../../language/file/yaml.ts';
import type { Expression } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import { compileGlob } from '../../text/glob.ts';
import type { Place, Resolved, ResolvedSource } from '../sources/resolved-source.ts';
import { compareAny, compareFields, exists, isBlank } from './compare.ts';
import { compareWords } from './keyword.ts';
import { type FieldKey, parseFieldKey } from './modifiers.ts';
import { globOf, parsePattern, within } from './pattern.ts';
import { fillPlaceholders, type Placeholders } from './placeholders.ts';
import { respelled } from './spelling.ts';

type Report = (severity: 'error' | 'warning', fault: Fault) => void;

const NEVER = { kind: 'constant', value: false } as const;

/** Resolves the selections of one rule. An error is reported and counts as false, so that all errors are found. */
export class Selections<E> {
  readonly #source: ResolvedSource<E>;
  readonly #placeholders: Placeholders;
  readonly #report: Report;
  readonly #unavailable = new Set<string>();

  constructor(source: ResolvedSource<E>, placeholders: Placeholders, report: Report) {
    this.#source = source;
    this.#placeholders = placeholders;
    this.#report = report;
  }

  /** Resolves a node: a mapping needs all of its keys, a list any of its mappings and keywords. */
  read(node: Yaml): Expression<E> {
    if (node.kind === 'text' ? node.text === '' : (node.kind === 'map' ? node.entries : node.items).length === 0) {
      this.#report('error', new Fault('shape', node.at, 'this selection is empty', 'Write Field: value below it.'));
      return NEVER;
    }
    if (node.kind === 'map')
      return joined(
        'and',
        this.#meaningful(node.entries).map((entry) => this.#attempt(() => this.#entry(entry))),
      );
    const items = node.kind === 'list' ? node.items : [node];
    const keywords = items.filter((item) => item.kind === 'text');
    const mappings = items.filter((item) => item.kind !== 'text').map((item) => this.read(item));
    if (keywords.length === 0) return joined('or', mappings);
    const found = this.#attempt(() => this.#keywords(parseFieldKey('', node.at), keywords));
    return mappings.length === 0 ? found : joined('or', [found, ...mappings]);
  }

  /** Leaves out keys that only repeat the others: the key of an auditd watch beside the path that it watches. */
  #meaningful(entries: readonly YamlEntry[]): readonly YamlEntry[] {
    const others = entries.filter((entry) => !this.#repeats(entry));
    return others.some(({ key }) => key !== 'type') ? others : entries;
  }

  #repeats({ key: text, at }: YamlEntry): boolean {
    try {
      const { field } = parseFieldKey(text, at);
      const resolved = field === '' ? undefined : this.#source.field(field, at);
      return resolved?.kind === 'never' && resolved.repeats === true;
    } catch (error) {
      // Reading the entry reports it.
      if (error instanceof Fault) return false;
      throw error;
    }
  }

  #attempt(read: () => Expression<E>): Expression<E> {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#report('error', error);
      return NEVER;
    }
  }

  #entry({ key: text, at, value }: YamlEntry): Expression<E> {
    const key = parseFieldKey(text, at);
    const values = this.#values(key, value);
    if (key.field === '') return this.#keywords(key, values);
    const resolved = this.#source.field(key.field, at);
    const parts = key.all ? values.map((value) => [value]) : [values];
    const found = joined(
      key.all ? 'and' : 'or',
      parts.map((some) => this.#compare(key, resolved, some)),
    );
    return key.negated ? { kind: 'not', item: found } : found;
  }

  #values(key: FieldKey, value: Yaml): YamlText[] {
    const items = value.kind === 'list' ? value.items : [value];
    if (items.length > LIMITS.listEntries)
      throw new Fault(
        'too-long',
        value.at,
        `${items.length} values to compare with; ${LIMITS.listEntries} are allowed`,
      );
    return items.flatMap((item) => {
      if (item.kind !== 'text')
        throw new Fault('shape', item.at, `'${key.field}' is compared with text, found a ${item.kind}`);
      return key.expand ? fillPlaceholders(item, this.#placeholders) : [item];
    });
  }

  #compare(key: FieldKey, resolved: Resolved<E>, values: readonly YamlText[]): Expression<E> {
    switch (resolved.kind) {
      case 'never':
        return this.#never(key, resolved.why);
      case 'values':
        return this.#enumerated(key, resolved.values, values);
      default:
        return this.#placed(key, resolved.places, values);
    }
  }

  #placed(key: FieldKey, places: readonly Place<E>[], values: readonly YamlText[]): Expression<E> {
    const anywhere = (compare: (place: Place<E>) => Expression<E>): Expression<E> =>
      joined(
        'or',
        places.map((place) => onPlace(place, compare(place))),
      );
    const present = (): Expression<E> => anywhere(({ operand }) => exists(operand));
    if (key.comparison === 'exists') return presence(values, present());
    const filled = values.filter((value) => !isBlank(key, value));
    const parts = filled.length === values.length ? [] : [{ kind: 'not', item: present() } as const];
    if (filled.length === 0) return joined('or', parts);
    const found = anywhere(({ operand, variant }) => {
      const asWritten = { ...key, cased: key.cased || variant.cased === true };
      const spelled = filled.flatMap((value) => respelled(value, key, variant));
      if (key.comparison !== 'fieldref') return compareAny(asWritten, operand, spelled);
      const referenced = filled.map((value) => this.#source.operand(value.text, value.at));
      return joined(
        'or',
        referenced.map((field) => compareFields(asWritten, operand, field)),
      );
    });
    return joined('or', [...parts, found]);
  }

  #never(key: FieldKey, why: string): Expression<E> {
    if (!this.#unavailable.has(key.field)) {
      this.#unavailable.add(key.field);
      this.#report('warning', new Fault('unavailable', key.at, `'${key.field}' is never available here: ${why}`));
    }
    return NEVER;
  }

  /** Resolves a field whose values each stand for a condition. */
  #enumerated(key: FieldKey, known: ReadonlyMap<string, Expression<E>>, values: readonly YamlText[]): Expression<E> {
    if (key.comparison === 'exists') return presence(values, joined('or', [...known.values()]));
    if (key.comparison !== 'text' || key.encodings.length > 0)
      throw new Fault(
        'modifier',
        key.at,
        `'${key.field}' has a fixed set of values`,
        `Values: ${[...known.keys()].join(', ')}.`,
      );
    return joined(
      'or',
      values.map((value) => this.#oneOf(key, known, value)),
    );
  }

  #oneOf(key: FieldKey, known: ReadonlyMap<string, Expression<E>>, value: YamlText): Expression<E> {
    const pattern = within(parsePattern(value.text), key.position);
    const fits = compileGlob(globOf(pattern, (text) => text.toLowerCase()));
    const meant = [...known].filter(([word]) => fits(word)).map(([, condition]) => condition);
    if (meant.length > 0) return joined('or', meant);
    const message = `no event here has ${key.field} '${value.text}'`;
    this.#report('warning', new Fault('unavailable', value.at, message));
    return NEVER;
  }

  #keywords(key: FieldKey, values: readonly YamlText[]): Expression<E> {
    const anywhere: FieldKey = key.comparison === 'regex' ? key : { ...key, position: 'contains' };
    const parts = key.all ? values.map((value) => [value]) : [values];
    const found = parts.map((some) =>
      joined(
        'or',
        this.#source.text.map((place) => onPlace(place, compareWords(anywhere, place.operand, some))),
      ),
    );
    return joined(key.all ? 'and' : 'or', found);
  }
}

function joined<E>(kind: 'and' | 'or', items: readonly Expression<E>[]): Expression<E> {
  return items.length === 1 ? items[0]! : { kind, items };
}

function onPlace<E>({ when }: Place<E>, found: Expression<E>): Expression<E> {
  return when === undefined ? found : { kind: 'and', items: [when, found] };
}

function presence<E>(values: readonly YamlText[], present: Expression<E>): Expression<E> {
  const [value] = values;
  if (value !== undefined && values.length === 1 && /^(?:true|yes)$/i.test(value.text)) return present;
  if (value !== undefined && values.length === 1 && /^(?:false|no)$/i.test(value.text))
    return { kind: 'not', item: present };
  throw new Fault('wrong-type', value?.at ?? 0, "'exists' is true or false");
}
