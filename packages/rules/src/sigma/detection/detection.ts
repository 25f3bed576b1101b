import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { Yaml, YamlEntry, YamlMap, YamlText } from '../../language/file/yaml.ts';
import type { Expression } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import { parseSigmaCondition, type SigmaCondition } from './condition.ts';
import type { Selections } from './selection.ts';

/** What a rule or a filter looks for: named selections, and a condition on them. */
export class Detection<E> {
  readonly #entries: readonly YamlEntry[];
  readonly #selections: Selections<E>;
  readonly #report: (severity: 'error' | 'warning', fault: Fault) => void;
  readonly #built = new Map<string, Expression<E>>();
  readonly #groups = new Map<string, Expression<E>>();
  readonly #used = new Set<string>();
  #size = 0;

  /** `entries`: the selections; `report` takes their errors. */
  constructor(
    entries: readonly YamlEntry[],
    selections: Selections<E>,
    report: (severity: 'error' | 'warning', fault: Fault) => void,
  ) {
    this.#entries = entries;
    this.#selections = selections;
    this.#report = report;
  }

  /** @throws Fault if the condition is wrong */
  read(condition: Yaml): Expression<E> {
    const texts = condition.kind === 'list' ? condition.items : [condition];
    const items = texts.map((text) => this.#condition(text));
    const unused = this.#entries.find(({ key }) => !this.#used.has(key) && !key.startsWith('_'));
    if (unused !== undefined)
      this.#report('warning', new Fault('unused', unused.at, `the condition doesn't use '${unused.key}'`));
    return items.length === 1 ? items[0]! : { kind: 'or', items };
  }

  #condition(text: Yaml): Expression<E> {
    if (text.kind !== 'text') throw new Fault('shape', text.at, `the condition must be text, found a ${text.kind}`);
    try {
      return this.#resolve(parseSigmaCondition(text.text), text);
    } catch (error) {
      if (error instanceof Placed || !(error instanceof Fault)) throw error;
      throw new Placed(error, text);
    }
  }

  #resolve(condition: SigmaCondition, text: YamlText): Expression<E> {
    if (++this.#size > LIMITS.nodes) throw new Fault('too-large', 0, 'the condition is too large', 'Split the rule.');
    switch (condition.kind) {
      case 'not':
        return { kind: 'not', item: this.#resolve(condition.item, text) };
      case 'selection':
        return this.#selection(condition.name, condition.at);
      case 'of':
        return this.#group(condition.all, condition.pattern, condition.at);
      default:
        // `1 of them or 1 of them` is the same as one of the two.
        return { kind: condition.kind, items: [...new Set(condition.items.map((item) => this.#resolve(item, text)))] };
    }
  }

  #selection(name: string, at: number): Expression<E> {
    const entry = this.#entries.find(({ key }) => key === name);
    if (entry !== undefined) return this.#build(entry);
    const hint = didYouMean(
      name,
      this.#entries.map(({ key }) => key),
      `Selections: ${this.#entries.map(({ key }) => key).join(', ')}.`,
    );
    throw new Fault('unknown-selection', at, `unknown selection '${name}'`, hint);
  }

  #group(all: boolean, pattern: string, at: number): Expression<E> {
    const id = `${all} ${pattern}`;
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const names = patternOf(pattern);
    const items = this.#entries.filter(({ key }) => names(key)).map((entry) => this.#build(entry));
    if (items.length === 0) throw new Fault('unknown-selection', at, `no selection fits '${pattern}'`);
    const group: Expression<E> = items.length === 1 ? items[0]! : { kind: all ? 'and' : 'or', items };
    this.#groups.set(id, group);
    return group;
  }

  #build(entry: YamlEntry): Expression<E> {
    this.#used.add(entry.key);
    const known = this.#built.get(entry.key);
    if (known !== undefined) return known;
    const item = this.#selections.read(entry.value);
    const named: Expression<E> = { kind: 'named', name: entry.key, local: true, item };
    this.#built.set(entry.key, named);
    return named;
  }
}

/** A fault whose place is in the file. */
class Placed extends Fault {
  constructor(fault: Fault, text: YamlText) {
    super(fault.code, text.place(fault.at), fault.message, () => fault.hint);
  }
}

/** `them` is every selection whose name does not start with an underscore; `*` in a pattern is any text. */
function patternOf(pattern: string): (name: string) => boolean {
  const hidden = pattern.startsWith('_');
  const shown = (name: string): boolean => hidden || !name.startsWith('_');
  if (pattern.toLowerCase() === 'them') return shown;
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return (name) => name === pattern;
  return (name) => shown(name) && name.startsWith(first) && fitsRest(name.slice(first.length), rest);
}

/** Each part is searched behind the previous one; the last must be at the end. */
function fitsRest(text: string, parts: readonly string[]): boolean {
  let at = 0;
  for (const part of parts.slice(0, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  const last = parts.at(-1) ?? '';
  return text.length - at >= last.length && text.endsWith(last);
}

/** Returns the selections of a detection and its condition. @throws Fault if there is none */
export function partsOf(detection: YamlMap, except: readonly string[] = []): { entries: YamlEntry[]; condition: Yaml } {
  const condition = detection.entries.find(({ key }) => key === 'condition');
  if (condition === undefined)
    throw new Fault('missing-key', detection.at, "the detection has no 'condition'", "Add 'condition: selection'.");
  const skipped = ['condition', 'timeframe', ...except];
  return { entries: detection.entries.filter(({ key }) => !skipped.includes(key)), condition: condition.value };
}
