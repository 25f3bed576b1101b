import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { PRIORITIES, type Priority } from '../../model/rule.ts';
import { type Item, PRIORITY_SPELLINGS, type RuleException, type RuleItem } from '../file/document.ts';
import type { Home, Yaml, YamlEntry, YamlMap, YamlText } from '../file/yaml.ts';
import { type Definition, fail, flagOf, joined, type Kind, readDefinition, textOf, textsOf } from './definition.ts';
import { type Exception, exceptionSyntax, mergeExceptions, readExceptions } from './exceptions.ts';
import { outputText, unquoted } from './text.ts';
import { checkEngineVersion, checkPluginVersions } from './versions.ts';

/** A file in Falco's format. */
export interface FalcoFile extends Home {
  readonly name: string;
  readonly root: Yaml | undefined;
}

/** The result of several definitions of one name. */
interface Entry<F extends FalcoFile = FalcoFile> {
  readonly definition: Definition;
  readonly file: F;
  readonly keys: Map<string, YamlEntry>;
  readonly texts: Map<string, { readonly text: YamlText; readonly home: Home }[]>;
  readonly lists: Map<string, YamlText[]>;
  exceptions: readonly Exception[];
}

const JOINED = ['condition', 'output', 'desc'];
const LISTED = ['items', 'tags'];

/**
 * Returns the items of files in Falco's format. As in Falco, files and items apply in order: an item with an existing
 * name replaces that item, is appended to it, or changes some of its keys. All belong to the file that defined them
 * first. A change of an item that only a later file defines is applied at the end.
 */
export function falcoItems<F extends FalcoFile>(files: readonly F[]): Map<F, Item[]> {
  const definitions: Definitions<F> = { entries: new Map(), late: [] };
  const inOrder = files.toSorted((a, b) => rank(a.name) - rank(b.name));
  for (const file of inOrder)
    for (const node of nodesOf(file)) guarded(file, '', () => readNode(node, file, definitions));
  for (const candidate of definitions.late)
    guarded(candidate.home, candidate.name, () => changeEntry(candidate, definitions.entries));
  const items = new Map<F, Item[]>(files.map((file) => [file, []]));
  for (const entry of definitions.entries.values()) {
    const item = guarded(entry.definition.home, entry.definition.name, () => itemOf(entry));
    if (item !== undefined) items.get(entry.file)!.push(item);
  }
  return items;
}

interface Definitions<F extends FalcoFile> {
  readonly entries: Map<string, Entry<F>>;
  /** Changes of items that are not defined yet. */
  readonly late: Definition[];
}

/** Falco's own order: falco_rules.yaml, falco_rules.local.yaml, rules.d. In a folder they may be sorted by name. */
function rank(name: string): number {
  if (/(?:^|\/)rules\.d\//.test(name)) return 2;
  return /\.local\.ya?ml$/i.test(name) ? 1 : 0;
}

function nodesOf(file: FalcoFile): readonly Yaml[] {
  const { root } = file;
  if (root?.kind !== 'list') return [];
  if (root.items.length <= LIMITS.itemsPerSource) return root.items;
  const message = `${root.items.length} items in one file; ${LIMITS.itemsPerSource} are allowed`;
  file.report('error', new Fault('too-long', root.at, message, 'Split it.'), '');
  return [];
}

function guarded<T>(home: Home, item: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    home.report('error', error, item);
    return undefined;
  }
}

function readNode<F extends FalcoFile>(node: Yaml, file: F, definitions: Definitions<F>): void {
  if (node.kind !== 'map')
    fail('shape', node.at, 'expected a rule, a macro or a list', "Start each with '- rule: name'.");
  const kind = node.entries.map(({ key }) => key).find((key) => key === 'rule' || key === 'macro' || key === 'list');
  if (kind === undefined) {
    readRequirement(node, file);
    return;
  }
  const definition = readDefinition(node, kind as Kind, file);
  guarded(file, definition.name, () => apply(definition, file, definitions));
}

function readRequirement(node: YamlMap, file: FalcoFile): void {
  for (const { key, at, value } of node.entries) {
    if (key === 'required_engine_version') checkEngineVersion(value, file);
    else if (key === 'required_plugin_versions') checkPluginVersions(value, file);
    else {
      const hint = didYouMean(key, ['rule', 'macro', 'list', 'required_engine_version', 'required_plugin_versions']);
      file.report('warning', new Fault('unknown-key', at, `unknown item '${key}' is ignored`, hint), '');
    }
  }
}

function apply<F extends FalcoFile>(definition: Definition, file: F, { entries, late }: Definitions<F>): void {
  const id = idOf(definition);
  const before = entries.get(id);
  if (!isChange(definition)) entries.set(id, entryOf(definition, file, before?.file));
  else if (before === undefined) late.push(definition);
  else changeEntry(definition, entries);
}

const idOf = ({ kind, name }: Definition): string => `${kind} ${name}`;

/** A rule with only `enabled` changes nothing else. */
function isChange({ kind, keys, override, append }: Definition): boolean {
  const switches = kind === 'rule' && keys.has('enabled') && ![...keys.keys()].some((key) => NEEDED.has(key));
  return append || override !== undefined || switches;
}

function changeEntry<F extends FalcoFile>(definition: Definition, entries: ReadonlyMap<string, Entry<F>>): void {
  const { kind, name, at, keys, override, append } = definition;
  const before = entries.get(idOf(definition));
  if (before === undefined) {
    const hint = (): string => {
      const known = [...entries.values()].filter((candidate) => candidate.definition.kind === kind);
      return didYouMean(
        name,
        known.map((candidate) => candidate.definition.name),
      );
    };
    throw new Fault('falco-override', at, `there is no ${kind} '${name}' to change`, hint);
  }
  if (append) {
    if (!APPENDED[kind].some((key) => keys.has(key)))
      fail('falco-override', at, `this ${kind} appends nothing`, `Give it ${APPENDED[kind].join(', ')}.`);
    for (const key of APPENDED[kind]) change(before, definition, key, 'append');
  } else if (override === undefined) change(before, definition, 'enabled', 'replace');
  else for (const [key, operation] of override) change(before, definition, key, operation);
}

/** The keys that `append: true` appends to. */
const APPENDED: Readonly<Record<Kind, readonly string[]>> = {
  rule: ['condition', 'exceptions', 'tags'],
  macro: ['condition'],
  list: ['items'],
};
const NEEDED: ReadonlySet<string> = new Set(['condition', 'output', 'desc', 'priority']);

/** A definition that replaces another one keeps its position. */
function entryOf<F extends FalcoFile>(definition: Definition, file: F, place: F | undefined): Entry<F> {
  const { keys, home, kind } = definition;
  if (kind === 'list' ? !keys.has('items') : textOf(keys, 'condition') === undefined) {
    const key = kind === 'list' ? 'items' : 'condition';
    fail('missing-key', definition.at, `this ${kind} has no '${key}'`, `Add '${key}: …'.`);
  }
  const entry: Entry<F> = {
    definition,
    file: place ?? file,
    keys: new Map(keys),
    texts: new Map(),
    lists: new Map(),
    exceptions: [],
  };
  for (const key of [...JOINED, ...LISTED, 'exceptions']) change(entry, { ...definition, home }, key, 'replace');
  return entry;
}

function change(entry: Entry, { keys, home, at }: Definition, key: string, operation: 'append' | 'replace'): void {
  const given = keys.get(key);
  if (given === undefined) return;
  const added = operation === 'append';
  if (key === 'exceptions') {
    const more = readExceptions(given.value, home);
    entry.exceptions = mergeExceptions(added ? entry.exceptions : [], more, at);
  } else if (JOINED.includes(key)) {
    const text = textOf(keys, key)!;
    entry.texts.set(key, [...(added ? (entry.texts.get(key) ?? []) : []), { text, home }]);
  } else if (LISTED.includes(key)) {
    const texts = textsOf(keys, key).map((text) => listed(text, home));
    entry.lists.set(key, [...(added ? (entry.lists.get(key) ?? []) : []), ...texts]);
  } else entry.keys.set(key, given);
}

/** Returns an item of a list as Falco reads it, with its position. */
function listed(text: YamlText, home: Home): YamlText {
  const inner = unquoted(text.text);
  const origin = (): { home: Home; at: number } => ({ home, at: text.at });
  return { ...text, text: inner ?? text.text, quoted: inner !== undefined, origin };
}

function itemOf(entry: Entry): Item | undefined {
  const { kind, name, at } = entry.definition;
  if (kind === 'macro') return { kind, name, at, condition: joined(entry.texts.get('condition')!) };
  if (kind === 'list') return { kind, name, at, items: entry.lists.get('items') ?? [] };
  return ruleOf(entry);
}

function ruleOf({ definition, keys, texts, lists, exceptions }: Entry): RuleItem | undefined {
  const { name, at, home } = definition;
  const source = textOf(keys, 'source');
  if (source !== undefined && source.text !== 'syscall') {
    const message = `rule '${name}' can't match: no event here has the source '${source.text}'`;
    home.report(
      'warning',
      new Fault('falco-source', source.at, message, "All events here have the source 'syscall'."),
      name,
    );
    return undefined;
  }
  for (const key of ['warn_evttypes', 'capture']) flagOf(keys, key);
  const description = texts.get('desc');
  const output = texts.get('output');
  const priority = guarded(home, name, () => priorityOf(keys));
  return {
    kind: 'rule',
    name,
    at,
    description: (description === undefined ? name : joined(description).text).trim(),
    condition: joined(texts.get('condition')!),
    output: output === undefined ? undefined : withText(joined(output)),
    priority: priority ?? 'warning',
    action: 'alert',
    profile: 'recommended',
    tags: lists.get('tags') ?? [],
    techniques: [],
    enabled: flagOf(keys, 'enabled') ?? true,
    threshold: undefined,
    exceptions: conditionsOf(exceptions, at),
    skipsUnknown: flagOf(keys, 'skip-if-unknown-filter') ?? false,
    ...(priority === undefined ? { broken: true } : {}),
  };
}

/** @throws Fault if there are too many */
function conditionsOf(exceptions: readonly Exception[], at: number): RuleException[] {
  const rows = exceptions.reduce((sum, candidate) => sum + candidate.rows.length, 0);
  if (rows > LIMITS.nodes)
    fail(
      'too-large',
      at,
      `the rule has ${rows} exceptions; ${LIMITS.nodes} are allowed`,
      'Use lists in the exceptions.',
    );
  return exceptions.flatMap((candidate) => exceptionSyntax(candidate, at));
}

function withText(output: YamlText): YamlText {
  return { ...output, text: outputText(output.text) };
}

function priorityOf(keys: ReadonlyMap<string, YamlEntry>): Priority {
  const given = textOf(keys, 'priority');
  if (given === undefined) return 'warning';
  const word = given.text.trim().toLowerCase();
  const found = PRIORITIES.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  if (Object.hasOwn(PRIORITY_SPELLINGS, word)) return PRIORITY_SPELLINGS[word]!;
  return fail('value', given.at, `'${given.text}' is not a valid priority`, didYouMean(word, PRIORITIES));
}
