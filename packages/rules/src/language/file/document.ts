import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { ACTIONS, type Action, PRIORITIES, PROFILES, type Priority, type Profile } from '../../model/rule.ts';
import { FIRST_SEEN_EXAMPLE } from '../memory/first-seen.ts';
import { SUMMARY_EXAMPLE } from '../memory/summary.ts';
import type { Syntax } from '../syntax/syntax.ts';
import type { Home, Yaml, YamlEntry, YamlMap, YamlText } from './yaml.ts';

/** Items of a file as written: their shape is checked, but not their texts. */
export type Item = RuleItem | MacroItem | ListItem;

export interface MacroItem {
  readonly kind: 'macro';
  readonly name: string;
  readonly at: number;
  readonly condition: YamlText;
}

export interface ListItem {
  readonly kind: 'list';
  readonly name: string;
  readonly at: number;
  readonly items: readonly YamlText[];
}

export interface RuleItem {
  readonly kind: 'rule';
  readonly name: string;
  readonly at: number;
  readonly description: string;
  readonly condition: YamlText;
  readonly output: YamlText | undefined;
  readonly priority: Priority;
  readonly action: Action;
  readonly profile: Profile;
  readonly tags: readonly YamlText[];
  readonly techniques: readonly YamlText[];
  readonly enabled: boolean;
  readonly threshold: YamlMap | undefined;
  readonly summary?: YamlMap | undefined;
  readonly firstSeen?: YamlMap | undefined;
  readonly suppress?: YamlMap | undefined;
  readonly throttle?: YamlMap | undefined;
  /** Reason why an attacker gains nothing by the negated comparisons of the condition. */
  readonly excuses?: string;
  /** Falco's exceptions: cases in which the condition holds but the rule does not match. */
  readonly exceptions?: readonly RuleException[];
  /** Falco's skip-if-unknown-filter: a rule that names an unknown field is left out with a warning. */
  readonly skipsUnknown?: boolean;
  /** A key is wrong: the remaining keys are checked, and the item is left out. */
  readonly broken?: boolean;
}

/** A condition built from parts of a file, with the file of its offsets. */
export interface RuleException {
  readonly syntax: Syntax;
  readonly home: Home;
}

/** Takes a fault whose `at` is an offset in the file, and the item it concerns. */
export type ReportItem = (fault: Fault, item: string) => void;

export const KEYS = {
  rule: [
    'rule',
    'desc',
    'condition',
    'output',
    'priority',
    'tags',
    'action',
    'profile',
    'enabled',
    'threshold',
    'summary',
    'first_seen',
    'suppress',
    'throttle',
    'excuses',
    'techniques',
  ],
  macro: ['macro', 'condition', 'desc'],
  list: ['list', 'items', 'desc'],
} as const;

export const PRIORITY_SPELLINGS: Readonly<Record<string, Priority>> = {
  info: 'informational',
  warn: 'warning',
  err: 'error',
  crit: 'critical',
};
const NAME_LENGTH = 256;

/** Returns the items with the right shape; the others are reported, and left out or `broken`. */
export function readItems(root: Yaml | undefined, report: ReportItem): Item[] {
  if (root === undefined) return [];
  if (root.kind === 'text' && root.text.trim() === '') return [];
  if (root.kind === 'text') {
    report(new Fault('shape', root.at, 'expected a list of rules, found text', "Start each with '- rule: name'."), '');
    return [];
  }
  const nodes = root.kind === 'list' ? root.items : [root];
  if (nodes.length > LIMITS.itemsPerSource) {
    report(
      new Fault(
        'too-long',
        root.at,
        `${nodes.length} items in one file; ${LIMITS.itemsPerSource} are allowed`,
        'Split it.',
      ),
      '',
    );
    return [];
  }
  return nodes.map((node) => readItem(node, report)).filter((item) => item !== undefined);
}

function readItem(node: Yaml, report: ReportItem): Item | undefined {
  let name = '';
  try {
    if (node.kind !== 'map')
      throw new Fault(
        'shape',
        node.at,
        'expected a rule, a macro or a list',
        "Start each with '- rule: name', '- macro: name' or '- list: name'.",
      );
    const kind = kindOf(node);
    const reader = new ItemReader(node, kind, (fault) => report(fault, name));
    name = reader.name();
    const item = reader.read(kind, name);
    if (!reader.failed) return item;
    return item.kind === 'rule' ? { ...item, broken: true } : undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report(error, name);
    return undefined;
  }
}

function kindOf(node: YamlMap): Item['kind'] {
  for (const { key } of node.entries) if (key === 'rule' || key === 'macro' || key === 'list') return key;
  const first = node.entries[0];
  const hint = didYouMean(
    first?.key ?? '',
    ['rule', 'macro', 'list'],
    "Give it a name with 'rule: …', 'macro: …' or 'list: …'.",
  );
  throw new Fault('shape', first?.at ?? node.at, 'this is neither a rule, nor a macro, nor a list', hint);
}

/** Reads the keys of one item and continues after a fault, so that all faults are reported. */
class ItemReader {
  readonly #entries = new Map<string, YamlEntry>();
  readonly #node: YamlMap;
  readonly #kind: Item['kind'];
  readonly #report: (fault: Fault) => void;
  failed = false;

  constructor(node: YamlMap, kind: Item['kind'], report: (fault: Fault) => void) {
    this.#node = node;
    this.#kind = kind;
    this.#report = report;
    const known: readonly string[] = KEYS[kind];
    for (const entry of node.entries) {
      if (!known.includes(entry.key)) {
        this.#fail(
          new Fault(
            'unknown-key',
            entry.at,
            `unknown key '${entry.key}' in a ${kind}`,
            didYouMean(entry.key, known, `Keys: ${known.join(', ')}.`),
          ),
        );
      } else if (this.#entries.has(entry.key))
        this.#fail(new Fault('duplicate-key', entry.at, `'${entry.key}' is given twice`));
      else this.#entries.set(entry.key, entry);
    }
  }

  name(): string {
    const { text, at } = this.#required(this.#kind);
    const name = text.trim();
    if (name === '' || name.length > NAME_LENGTH)
      throw new Fault('shape', at, `the name of a ${this.#kind} has 1 to ${NAME_LENGTH} characters`);
    if (this.#kind !== 'rule' && !/^[\w.-]+$/.test(name)) {
      throw new Fault('shape', at, `'${name}' can't be the name of a ${this.#kind}`, 'Use letters, digits, _ . and -.');
    }
    return name;
  }

  read(kind: Item['kind'], name: string): Item {
    const at = this.#entries.get(kind)!.value.at;
    if (kind === 'macro') return { kind, name, at, condition: this.#required('condition') };
    if (kind === 'list') return { kind, name, at, items: this.#texts('items', true) };
    return {
      kind,
      name,
      at,
      condition: this.#required('condition'),
      description: (this.#optional('desc')?.text ?? name).trim(),
      output: this.#optional('output'),
      priority: this.#oneOf('priority', PRIORITIES, 'warning', PRIORITY_SPELLINGS),
      action: this.#oneOf('action', ACTIONS, 'alert'),
      profile: this.#oneOf('profile', PROFILES, 'recommended'),
      enabled: this.#oneOf('enabled', ['true', 'false'], 'true') === 'true',
      tags: this.#texts('tags', false),
      techniques: this.#texts('techniques', false),
      threshold: this.#map('threshold', '{ count: 20, by: [process.entity_id], within: 10s }'),
      summary: this.#map('summary', SUMMARY_EXAMPLE),
      firstSeen: this.#map('first_seen', FIRST_SEEN_EXAMPLE),
      suppress: this.#map('suppress', '{ by: [process.executable], for: 10m }'),
      throttle: this.#map('throttle', '{ alerts: 20, per: 1h }'),
      excuses: (this.#optional('excuses')?.text ?? '').trim(),
    };
  }

  #required(key: string): YamlText {
    const text = this.#optional(key);
    if (text !== undefined && text.text.trim() !== '') return text;
    const at = this.#entries.get(key)?.at ?? this.#node.at;
    throw new Fault('missing-key', at, `this ${this.#kind} has no '${key}'`, `Add '${key}: …'.`);
  }

  #optional(key: string): YamlText | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || value.kind === 'text') return value;
    this.#fail(new Fault('shape', value.at, `'${key}' must be text, found a ${value.kind}`));
    return undefined;
  }

  #oneOf<T extends string>(
    key: string,
    allowed: readonly T[],
    fallback: T,
    spellings: Readonly<Record<string, T>> = {},
  ): T {
    const value = this.#optional(key);
    if (value === undefined) return fallback;
    const word = value.text.toLowerCase();
    const found =
      allowed.find((candidate) => candidate === word) ?? (Object.hasOwn(spellings, word) ? spellings[word] : undefined);
    if (found !== undefined) return found;
    this.#fail(
      new Fault(
        'value',
        value.at,
        `'${value.text}' is not a valid ${key}`,
        didYouMean(word, allowed, `One of: ${allowed.join(', ')}.`),
      ),
    );
    return fallback;
  }

  #texts(key: string, required: boolean): readonly YamlText[] {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      if (required)
        throw new Fault('missing-key', this.#node.at, `this ${this.#kind} has no '${key}'`, `Add '${key}: [a, b]'.`);
      return [];
    }
    const { value } = entry;
    if (value.kind === 'text' && value.text === '') return [];
    if (value.kind !== 'list') {
      this.#fail(new Fault('shape', value.at, `'${key}' must be a list`, `Write ${key}: [a, b].`));
      return [];
    }
    const texts = value.items.filter((item) => item.kind === 'text');
    const wrongItem = value.items.find((item) => item.kind !== 'text');
    if (wrongItem !== undefined)
      this.#fail(new Fault('shape', wrongItem.at, `'${key}' must be a list of texts, found a ${wrongItem.kind} in it`));
    return texts;
  }

  #map(key: string, example: string): YamlMap | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || value.kind === 'map') return value;
    this.#fail(new Fault('shape', value.at, `'${key}' must be a mapping`, `Write ${key}: ${example}.`));
    return undefined;
  }

  #fail(fault: Fault): void {
    this.failed = true;
    this.#report(fault);
  }
}
