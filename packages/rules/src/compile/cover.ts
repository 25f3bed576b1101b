import type { Test } from '../expression.ts';
import { globPrefix, globSuffix } from '../text/glob.ts';
import type { Node } from './nodes.ts';

/** A path is covered when it begins with one of the prefixes or its last component is one of the names. */
export interface Cover {
  readonly prefixes: readonly string[];
  readonly names: readonly string[];
}

const NOTHING: Cover = { prefixes: [], names: [] };

/**
 * What one of an event's paths must be covered by for the node to be true; null: the node doesn't say. `fields` hold the paths. What is derived may be too wide,
 * never too narrow: the sensor drops what it doesn't cover.
 */
export function necessaryCover<E>(node: Node<E>, fields: readonly string[]): Cover | null {
  switch (node.kind) {
    case 'constant':
      return node.value ? null : NOTHING;
    case 'test':
      return coverOfTest(node.test, fields);
    case 'and':
      return node.items
        .map((item) => necessaryCover(item, fields))
        .filter((cover) => cover !== null)
        .reduce<Cover | null>((best, one) => (best === null || narrower(one, best) ? one : best), null);
    case 'or':
      return union(node.items.map((item) => necessaryCover(item, fields)));
    default:
      return null;
  }
}

/** Without what something else in it covers; null when a part is null, or everything is covered. */
export function union(covers: readonly (Cover | null)[]): Cover | null {
  if (!covers.every((cover) => cover !== null)) return null;
  const prefixes: string[] = [];
  for (const prefix of [...new Set(covers.flatMap((cover) => cover.prefixes))].sort()) {
    if (prefix === '') return null;
    const last = prefixes.at(-1);
    if (last === undefined || !prefix.startsWith(last)) prefixes.push(prefix);
  }
  return { prefixes, names: [...new Set(covers.flatMap((cover) => cover.names))].sort() };
}

/** Names say more than prefixes, deep prefixes more than those near the root. */
function narrower(one: Cover, other: Cover): boolean {
  const depths = depth(one) - depth(other);
  return depths !== 0 ? depths > 0 : size(one) < size(other);
}

/** components of the prefix that says least */
function depth({ prefixes }: Cover): number {
  const depths = prefixes.map((prefix) => prefix.split('/').filter((part) => part !== '').length);
  return Math.min(Number.MAX_SAFE_INTEGER, ...depths);
}

function size({ prefixes, names }: Cover): number {
  return prefixes.length + names.length;
}

function coverOfTest<E>(test: Test<E>, fields: readonly string[]): Cover | null {
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
  return union([{ prefixes: prefixes.map(exactPart), names: [] }]);
}

function ofNames(names: readonly string[]): Cover | null {
  const exact = (name: string): boolean => name !== '' && !name.includes('/') && exactPart(name) === name;
  return names.every(exact) ? { prefixes: [], names } : null;
}

/** Of paths that end in this text, when that tells their last component. */
function ofLastName(text: string): Cover | null {
  const slash = text.lastIndexOf('/');
  return slash === -1 ? null : ofNames([text.slice(slash + 1)]);
}

/** What of a text is the same in bytes: a backslash may stand for a byte that is no text (\xNN), half a surrogate pair for none. */
function exactPart(text: string): string {
  if (!text.isWellFormed()) return '';
  const backslash = text.indexOf('\\');
  return backslash === -1 ? text : text.slice(0, backslash);
}
