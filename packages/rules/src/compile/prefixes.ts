import type { Test } from '../expression.ts';
import { globPrefix } from '../text/glob.ts';
import type { Node } from './nodes.ts';

/**
 * Prefixes of which a field's value must have one for the node to be true; null: the node doesn't say. What is derived may be too wide, never too
 * narrow: the sensor drops what it doesn't cover.
 */
export function necessaryPrefixes<E>(node: Node<E>, field: string): readonly string[] | null {
  switch (node.kind) {
    case 'constant':
      return node.value ? null : [];
    case 'test':
      return prefixesOf(node.test, field);
    case 'and': {
      const found = node.items.map((item) => necessaryPrefixes(item, field)).filter((prefixes) => prefixes !== null);
      return found.reduce<readonly string[] | null>(
        (best, one) => (best === null || one.length < best.length ? one : best),
        null,
      );
    }
    case 'or': {
      const found = node.items.map((item) => necessaryPrefixes(item, field));
      return found.every((prefixes) => prefixes !== null) ? widest(found.flat()) : null;
    }
    default:
      return null;
  }
}

function prefixesOf<E>(test: Test<E>, field: string): readonly string[] | null {
  if (test.operand.field.name !== field || test.operand.transforms.length > 0 || test.negated) return null;
  const values = test.values.map(String);
  switch (test.operator) {
    case 'equals':
    case 'startswith':
    case 'pathprefix':
      return widest(values);
    case 'glob':
      return widest(values.map(globPrefix));
    default:
      return null;
  }
}

/** Without those that another one covers; null when one covers everything. */
export function widest(prefixes: readonly string[]): readonly string[] | null {
  const kept: string[] = [];
  for (const prefix of [...new Set(prefixes)].sort()) {
    if (prefix === '') return null;
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}
