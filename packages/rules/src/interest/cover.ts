import type { Node } from '../compile/nodes/node.ts';
import type { Test } from '../model/expression.ts';
import { globPrefix, globSuffix } from '../text/glob.ts';

/**
 * Covers a path that starts with one of the prefixes, whose last component is one of the names, or whose process runs
 * one of the executables.
 */
export interface Cover {
  readonly prefixes: readonly string[];
  readonly names: readonly string[];
  /** Last components. */
  readonly executables: readonly string[];
}

/** The fields that hold an event's paths, and the field of its process's executable. */
export interface PathFields {
  readonly fields: readonly string[];
  readonly executable?: string;
}

const NOTHING: Cover = { prefixes: [], names: [], executables: [] };

/**
 * A single executable opens various files, but is one of many: it is narrower than a directory of the root and wider
 * than a deeper one.
 */
const EXECUTABLE_DEPTH = 1.5;

/**
 * Returns what must cover one of an event's paths, or its process, for the node to be true; null: the node does not
 * bound it. The result may be too wide but never too narrow, because the sensor drops what it does not cover.
 */
export function necessaryCover<E>(node: Node<E>, fields: PathFields): Cover | null {
  switch (node.kind) {
    case 'constant':
      return node.value ? null : NOTHING;
    case 'test':
      return coverOfTest(node.test, fields);
    case 'and':
      return node.items
        .map((item) => necessaryCover(item, fields))
        .filter((cover) => cover !== null)
        .reduce<Cover | null>((best, cover) => (best === null || narrower(cover, best) ? cover : best), null);
    case 'or':
      return union(node.items.map((item) => necessaryCover(item, fields)));
    default:
      return null;
  }
}

/** Joins covers and removes redundant parts; null if a part is null or everything is covered. */
export function union(covers: readonly (Cover | null)[]): Cover | null {
  if (!covers.every((cover) => cover !== null)) return null;
  const prefixes: string[] = [];
  for (const prefix of [...new Set(covers.flatMap((cover) => cover.prefixes))].sort()) {
    if (prefix === '') return null;
    const last = prefixes.at(-1);
    if (last === undefined || !prefix.startsWith(last)) prefixes.push(prefix);
  }
  const all = (list: 'names' | 'executables'): string[] => [...new Set(covers.flatMap((cover) => cover[list]))].sort();
  return { prefixes, names: all('names'), executables: all('executables') };
}

/** Names are narrower than prefixes, and deep prefixes narrower than those near the root. */
function narrower(first: Cover, second: Cover): boolean {
  const depths = depth(first) - depth(second);
  return depths !== 0 ? depths > 0 : size(first) < size(second);
}

/** Components of the widest prefix. */
function depth({ prefixes, executables }: Cover): number {
  const depths = prefixes.map((prefix) => prefix.split('/').filter((part) => part !== '').length);
  return Math.min(executables.length > 0 ? EXECUTABLE_DEPTH : Number.MAX_SAFE_INTEGER, ...depths);
}

function size({ prefixes, names, executables }: Cover): number {
  return prefixes.length + names.length + executables.length;
}

function coverOfTest<E>(test: Test<E>, { fields, executable }: PathFields): Cover | null {
  const cover = coverIn(test, fields);
  if (cover !== null || executable === undefined) return cover;
  const executed = coverIn(test, [executable]);
  return executed === null || executed.prefixes.length > 0 ? null : { ...NOTHING, executables: executed.names };
}

/** Returns the cover of a test on a path in one of these fields. */
function coverIn<E>(test: Test<E>, fields: readonly string[]): Cover | null {
  const { operand, operator, negated } = test;
  if (negated) return null;
  const values = test.values.map(String);
  const [transform, ...more] = operand.transforms;
  const isField = fields.includes(operand.field.name);
  if (isField && transform === 'basename' && more.length === 0) return operator === 'equals' ? ofNames(values) : null;
  if (transform !== undefined) return null;
  if (isField) return coverOfPath(operator, values);
  if (operand.field.part === undefined || !fields.includes(operand.field.part.of)) return null;
  if (operand.field.part.is === 'name') return operator === 'equals' ? ofNames(values) : null;
  if (operand.field.part.is === 'extension') return null;
  return coverOfDirectory(operator, values);
}

function coverOfPath(operator: Test<unknown>['operator'], values: readonly string[]): Cover | null {
  switch (operator) {
    case 'equals':
      return union(values.map((value) => ofLastName(value) ?? ofPrefixes([value])));
    case 'startswith':
    case 'pathprefix':
      return ofPrefixes(values);
    case 'endswith':
      return union(values.map(ofLastName));
    case 'glob':
      return union(values.map((value) => ofLastName(globSuffix(value)) ?? ofPrefixes([globPrefix(value)])));
    default:
      return null;
  }
}

function coverOfDirectory(operator: Test<unknown>['operator'], values: readonly string[]): Cover | null {
  switch (operator) {
    case 'equals':
    case 'startswith':
    case 'pathprefix':
      return ofPrefixes(values);
    case 'glob':
      return ofPrefixes(values.map(globPrefix));
    default:
      return null;
  }
}

function ofPrefixes(prefixes: readonly string[]): Cover | null {
  return union([{ ...NOTHING, prefixes: prefixes.map(exactPart) }]);
}

function ofNames(names: readonly string[]): Cover | null {
  const exact = (name: string): boolean => name !== '' && !name.includes('/') && isExact(name);
  return names.every(exact) ? { ...NOTHING, names } : null;
}

/** Covers paths that end in this text, if the text determines their last component. */
function ofLastName(text: string): Cover | null {
  const slash = text.lastIndexOf('/');
  return slash === -1 ? null : ofNames([text.slice(slash + 1)]);
}

/** Whether a text is the same in bytes. */
export const isExact = (text: string): boolean => exactPart(text) === text;

/**
 * Returns the part of a text that is the same in bytes: a backslash may stand for a byte that is no text (\xNN), and
 * half a surrogate pair for no byte.
 */
function exactPart(text: string): string {
  if (!text.isWellFormed()) return '';
  const backslash = text.indexOf('\\');
  return backslash === -1 ? text : text.slice(0, backslash);
}
