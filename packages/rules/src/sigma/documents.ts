import { didYouMean } from '../diagnostics/diagnostics.ts';
import { Fault } from '../diagnostics/errors.ts';
import type { Yaml, YamlEntry, YamlMap, YamlText } from '../language/file/yaml.ts';
import { LIMITS } from '../model/limits.ts';
import type { Priority } from '../model/rule.ts';
import type { LogSourceName } from './sources/taxonomy.ts';

/** A document of a Sigma file as written, with its shape checked. */
export interface SigmaDocument {
  readonly kind: 'rule' | 'correlation' | 'filter' | 'placeholders';
  readonly title: string;
  /** Empty: none. */
  readonly id: string;
  /** The name by which correlations and filters may refer to it; empty: none. */
  readonly name: string;
  readonly at: number;
  readonly description: string;
  /** For a correlation: its rules raise alerts themselves too. */
  readonly generate: boolean;
  readonly priority: Priority;
  readonly tags: readonly YamlText[];
  /** Fields that an alert should show. */
  readonly fields: readonly YamlText[];
  readonly source: LogSourceName;
  readonly sourceAt: number;
  /** A key is wrong: the remaining keys are checked, and the document is left out. */
  readonly broken: boolean;
  /** The value of `detection`, `correlation`, `filter` or `placeholders`. */
  readonly body: YamlMap;
}

type Report = (fault: Fault, item: string) => void;

const KINDS = {
  detection: 'rule',
  correlation: 'correlation',
  filter: 'filter',
  placeholders: 'placeholders',
} as const;
const LEVELS: Readonly<Record<string, Priority>> = {
  informational: 'informational',
  low: 'notice',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};
const TITLE_LENGTH = 256;

const TOP_LEVEL = /^["']?(?:title|logsource|detection|correlation|filter|placeholders)["']?[ \t]*:/m;
const NATIVE = /^(?:-[ \t]|(?:rule|macro|list)[ \t]*:)/m;

/**
 * Whether a file is Sigma's: the keys of a document start lines. In files of the other languages, lines start with `-`,
 * or the keys are `rule`, `macro`, `list`.
 */
export function isSigma(text: string): boolean {
  return text.length <= LIMITS.sourceLength && TOP_LEVEL.test(text) && !NATIVE.test(beforeDetection(text));
}

/** Lists of a rule may start lines too, but a document does not start with a list. */
function beforeDetection(text: string): string {
  return text.slice(0, TOP_LEVEL.exec(text)?.index);
}

/**
 * Returns the documents with the right shape, with `action: global` and similar applied; the others are reported and
 * left out.
 */
export function readDocuments(roots: readonly Yaml[], report: Report): SigmaDocument[] {
  if (roots.length > LIMITS.itemsPerSource) {
    const message = `${roots.length} documents in one file; ${LIMITS.itemsPerSource} are allowed`;
    report(new Fault('too-long', 0, message, 'Split it.'), '');
    return [];
  }
  const documents: SigmaDocument[] = [];
  for (const root of collected(roots, report)) {
    const title = textOf(root, 'title')?.text.trim() ?? '';
    try {
      documents.push(readDocument(root, title, (fault) => report(fault, title)));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report(error, title);
    }
  }
  return documents;
}

/** `global` is the start of all following documents until `reset`; `repeat` is the previous document with changes. */
function collected(roots: readonly Yaml[], report: Report): YamlMap[] {
  const documents: YamlMap[] = [];
  let common: YamlMap | undefined;
  let last: YamlMap | undefined;
  for (const root of roots) {
    if (root.kind !== 'map') {
      if (root.kind !== 'text' || root.text !== '')
        report(new Fault('shape', root.at, 'expected a Sigma rule', "It begins with 'title: …'."), '');
      continue;
    }
    const action = textOf(root, 'action')?.text;
    if (action === 'global') common = common === undefined ? root : merged(common, root);
    else if (action === 'reset') common = undefined;
    else {
      last = action === 'repeat' && last !== undefined ? merged(last, root) : root;
      documents.push(common === undefined ? last : merged(common, last));
    }
  }
  return documents;
}

/** Merges mappings key by key; of other values the second wins. */
function merged(first: YamlMap, second: YamlMap): YamlMap {
  const entries = new Map(first.entries.map((entry) => [entry.key, entry]));
  for (const entry of second.entries) {
    const before = entries.get(entry.key)?.value;
    const value = before?.kind === 'map' && entry.value.kind === 'map' ? merged(before, entry.value) : entry.value;
    entries.set(entry.key, { ...entry, value });
  }
  return { kind: 'map', at: second.at, entries: [...entries.values()] };
}

function readDocument(root: YamlMap, title: string, report: (fault: Fault) => void): SigmaDocument {
  const duplicate = duplicateKey(root);
  if (duplicate !== undefined) throw new Fault('duplicate-key', duplicate.at, `'${duplicate.key}' is given twice`);
  const [key, kind] = kindOf(root);
  const titleAt = textOf(root, 'title')?.at ?? root.at;
  if ((title === '' && kind !== 'placeholders') || title.length > TITLE_LENGTH)
    throw new Fault(
      'missing-key',
      titleAt,
      `a ${kind} has a title of 1 to ${TITLE_LENGTH} characters`,
      "Add 'title: …'.",
    );
  const body = find(root, key)!.value;
  if (body.kind !== 'map') throw new Fault('shape', body.at, `'${key}' must be a mapping, found a ${body.kind}`);
  const source = find(root, 'logsource')?.value;
  if (kind === 'rule' && source?.kind !== 'map')
    throw new Fault(
      'missing-key',
      source?.at ?? root.at,
      "the rule has no 'logsource'",
      'Add logsource: { product: linux, category: process_creation }.',
    );
  const level = textOf(root, 'level');
  const priority = priorityOf(level);
  if (priority === undefined) report(noLevel(level!));
  return {
    kind,
    title,
    id: textOf(root, 'id')?.text.trim() ?? '',
    name: textOf(root, 'name')?.text.trim() ?? '',
    at: titleAt,
    description: textOf(root, 'description')?.text.trim() || title,
    generate: textOf(root, 'generate')?.text.toLowerCase() === 'true',
    priority: priority ?? 'warning',
    broken: priority === undefined,
    tags: textsOf(root, 'tags'),
    fields: textsOf(root, 'fields'),
    source: sourceOf(source),
    sourceAt: source?.at ?? root.at,
    body,
  };
}

function kindOf(root: YamlMap): [key: keyof typeof KINDS, kind: SigmaDocument['kind']] {
  for (const key of ['correlation', 'filter', 'placeholders', 'detection'] as const)
    if (find(root, key) !== undefined) return [key, KINDS[key]];
  const known = ['detection', 'correlation', 'filter'];
  const slip = root.entries.find(({ key }) => didYouMean(key, known) !== '');
  const hint = slip === undefined ? "Add 'detection:'." : didYouMean(slip.key, known);
  throw new Fault(
    'missing-key',
    slip?.at ?? root.at,
    "this document has no 'detection', 'correlation' or 'filter'",
    hint,
  );
}

function duplicateKey(node: YamlMap): YamlEntry | undefined {
  const seen = new Set<string>();
  return node.entries.find(({ key }) => seen.size === seen.add(key).size);
}

/** Returns undefined if the level is unknown. */
function priorityOf(level: YamlText | undefined): Priority | undefined {
  if (level === undefined) return 'warning';
  const word = level.text.toLowerCase();
  return Object.hasOwn(LEVELS, word) ? LEVELS[word] : undefined;
}

function noLevel({ text, at }: YamlText): Fault {
  const known = Object.keys(LEVELS);
  const hint = didYouMean(text.toLowerCase(), known, `One of: ${known.join(', ')}.`);
  return new Fault('value', at, `'${text}' is not a level`, hint);
}

function sourceOf(source: Yaml | undefined): LogSourceName {
  const word = (key: string): string =>
    source?.kind === 'map' ? (textOf(source, key)?.text.trim().toLowerCase() ?? '') : '';
  return { product: word('product'), category: word('category'), service: word('service') };
}

export function find(node: YamlMap, key: string): YamlEntry | undefined {
  return node.entries.find((entry) => entry.key === key);
}

export function textOf(node: YamlMap, key: string): YamlText | undefined {
  const value = find(node, key)?.value;
  return value?.kind === 'text' ? value : undefined;
}

/** Returns the texts of a list, or a single text; other values are skipped. */
export function textsOf(node: YamlMap, key: string): readonly YamlText[] {
  const value = find(node, key)?.value;
  const items = value === undefined ? [] : value.kind === 'list' ? value.items : [value];
  return items.filter((item) => item.kind === 'text');
}
