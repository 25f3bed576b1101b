import type { Literal, Operand, Test } from '../expression.ts';
import { LIMITS } from '../limits.ts';
import { globLiteral, globPrefix } from '../text/glob.ts';
import { requiredText } from '../text/required.ts';
import type { Node } from './nodes.ts';

/** One literal by which a rule can be found. */
export interface Clue<E> {
  readonly operand: Operand<E>;
  readonly operator: 'equals' | 'startswith' | 'endswith' | 'pathprefix' | 'contains';
  readonly literal: Literal;
}

/** Of a condition that holds, at least one clue is found in the event. `worth`: how rarely the least rare of them is found, a guess. */
export interface Clues<E> {
  readonly clues: readonly Clue<E>[];
  readonly worth: number;
}

/** Clues without which a node can't be true; undefined: there are none. Of parts that must all be true, those of the best part. */
export function necessaryClues<E>(node: Node<E>): Clues<E> | undefined {
  switch (node.kind) {
    case 'test':
      return cluesOf(node.test);
    case 'and': {
      const found = node.items.map((item) => necessaryClues(item)).filter((clues) => clues !== undefined);
      return found.reduce<Clues<E> | undefined>(
        (best, clues) => (best === undefined || clues.worth > best.worth ? clues : best),
        undefined,
      );
    }
    case 'or': {
      const found = node.items.map((item) => necessaryClues(item));
      if (!found.every((clues) => clues !== undefined)) return undefined;
      const clues = found.flatMap((part) => part.clues);
      if (clues.length > LIMITS.literalsPerRule) return undefined;
      return { clues, worth: Math.min(...found.map((part) => part.worth)) };
    }
    default:
      return undefined;
  }
}

/** Text is taken to be the rarer the longer it is; equality says more than a part, and a part at the edge costs less to look for. */
const WORTH: Readonly<Record<Clue<unknown>['operator'], { readonly base: number; readonly perCharacter: number }>> = {
  equals: { base: 5, perCharacter: 0.5 },
  startswith: { base: 3, perCharacter: 0.5 },
  endswith: { base: 3, perCharacter: 0.5 },
  pathprefix: { base: 3, perCharacter: 0.5 },
  contains: { base: 1, perCharacter: 0.4 },
};
const COUNTED_CHARACTERS = 12;

function cluesOf<E>(test: Test<E>): Clues<E> | undefined {
  const { operand, values, negated } = test;
  if (negated || operand.type === 'bool' || values.length === 0 || values.length > LIMITS.literalsPerRule)
    return undefined;
  const clues: Clue<E>[] = [];
  let worth = Number.POSITIVE_INFINITY;
  for (const value of values) {
    const clue = clueOf(test, value);
    if (clue === undefined || clue.literal === '') return undefined;
    clues.push(clue);
    const { base, perCharacter } = WORTH[clue.operator];
    worth = Math.min(worth, base + perCharacter * Math.min(String(clue.literal).length, COUNTED_CHARACTERS));
  }
  return { clues, worth };
}

function clueOf<E>({ operand, operator }: Test<E>, literal: Literal): Clue<E> | undefined {
  switch (operator) {
    case 'equals':
    case 'startswith':
    case 'endswith':
    case 'pathprefix':
    case 'contains':
      return { operand, operator, literal };
    case 'glob': {
      const part = globLiteral(String(literal));
      return { operand, operator: part.operator, literal: part.text };
    }
    case 'regex':
      return { operand, operator: 'contains', literal: requiredText(String(literal)) };
    default:
      return undefined;
  }
}

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
