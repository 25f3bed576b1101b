import type { Literal, Operand, Test } from '../../model/expression.ts';
import { LIMITS } from '../../model/limits.ts';
import { globLiterals } from '../../text/glob.ts';
import { requiredText } from '../../text/required.ts';
import type { Node } from '../nodes/node.ts';

/** One literal by which a rule can be found. */
export interface Clue<E> {
  readonly operand: Operand<E>;
  readonly operator: 'equals' | 'startswith' | 'endswith' | 'pathprefix' | 'contains';
  readonly literal: Literal;
}

/**
 * If a condition holds, the event has at least one of its clues. `worth`: an estimate of how rare the least rare clue
 * is.
 */
export interface Clues<E> {
  readonly clues: readonly Clue<E>[];
  readonly worth: number;
}

/** By test node: in how many conditions it could serve as a clue. */
export type Popularity = ReadonlyMap<number, number>;

/** A value that many conditions ask for (success, tcp) is on most events, so it is a poor clue. */
const PENALTY = 1.5;

export function countTests<E>(conditions: Iterable<Node<E>>): Popularity {
  const counts = new Map<number, number>();
  for (const condition of conditions) {
    const tests = new Set<number>();
    const visit = (node: Node<E>): void => {
      if (node.kind === 'test') tests.add(node.id);
      else if (node.kind === 'and' || node.kind === 'or') node.items.forEach(visit);
    };
    visit(condition);
    for (const id of tests) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/**
 * Returns clues without which a node can't be true; undefined: there are none. For a conjunction, those of its best
 * part.
 */
export function necessaryClues<E>(node: Node<E>, popularity: Popularity): Clues<E> | undefined {
  switch (node.kind) {
    case 'test':
      return cluesOf(node.test, PENALTY * Math.log2(popularity.get(node.id) ?? 1));
    case 'and': {
      const found = node.items.map((item) => necessaryClues(item, popularity)).filter((clues) => clues !== undefined);
      return found.reduce<Clues<E> | undefined>(
        (best, clues) => (best === undefined || clues.worth > best.worth ? clues : best),
        undefined,
      );
    }
    case 'or': {
      const found = node.items.map((item) => necessaryClues(item, popularity));
      if (!found.every((clues) => clues !== undefined)) return undefined;
      const clues = found.flatMap((part) => part.clues);
      if (clues.length > LIMITS.literalsPerRule) return undefined;
      return { clues, worth: Math.min(...found.map((part) => part.worth)) };
    }
    default:
      return undefined;
  }
}

/** Longer text is taken to be rarer; equality is rarer than a part, and a part at an edge is cheaper to search for. */
const WORTH: Readonly<Record<Clue<unknown>['operator'], { readonly base: number; readonly perCharacter: number }>> = {
  equals: { base: 5, perCharacter: 0.5 },
  startswith: { base: 3, perCharacter: 0.5 },
  endswith: { base: 3, perCharacter: 0.5 },
  pathprefix: { base: 3, perCharacter: 0.5 },
  contains: { base: 1, perCharacter: 0.4 },
};
const COUNTED_CHARACTERS = 12;
/** Deeper directories are taken to be rarer whatever their names, because most files are below /usr. */
const PER_DIRECTORY = 2.5;
/** Less than a whole path, more than a directory of the root. */
const WORTH_OF_RARE = 6;
/** The facts of a process must be read for each new process; an event's own table is searched anyway. */
const COST_OF_SUBJECT = 3;

function worthOf<E>(clue: Clue<E>): number {
  return rarityOf(clue) - (clue.operand.field.subject === undefined ? 0 : COST_OF_SUBJECT);
}

function rarityOf<E>({ operand, operator, literal }: Clue<E>): number {
  const text = String(literal);
  const isDirectory = operator === 'equals' && operand.field.part?.is === 'directory';
  if (text.startsWith('/') && (isDirectory || operator === 'startswith' || operator === 'pathprefix'))
    return 1 + PER_DIRECTORY * text.split('/').filter((part) => part !== '').length;
  const { base, perCharacter } = WORTH[operator];
  return base + perCharacter * Math.min(text.length, COUNTED_CHARACTERS);
}

function cluesOf<E>(test: Test<E>, penalty: number): Clues<E> | undefined {
  const { operand, operator, values, negated } = test;
  if (negated || values.length === 0 || values.length > LIMITS.literalsPerRule) return undefined;
  if (operand.type === 'bool') {
    const [literal] = values;
    const isRare = operator === 'equals' && values.length === 1 && literal === operand.field.rare;
    return isRare ? { clues: [{ operand, operator, literal: literal! }], worth: WORTH_OF_RARE } : undefined;
  }
  const clues: Clue<E>[] = [];
  let worth = Number.POSITIVE_INFINITY;
  for (const value of values) {
    const clue = clueOf(test, value);
    if (clue === undefined || clue.literal === '') return undefined;
    clues.push(clue);
    worth = Math.min(worth, worthOf(clue));
  }
  return { clues, worth: worth - penalty };
}

function clueOf<E>({ operand, operator }: Test<E>, literal: Literal): Clue<E> | undefined {
  switch (operator) {
    case 'equals':
    case 'startswith':
    case 'endswith':
    case 'pathprefix':
    case 'contains':
      return { operand, operator, literal };
    case 'glob':
      return globLiterals(String(literal))
        .map((part): Clue<E> => ({ operand, operator: part.operator, literal: part.text }))
        .filter((clue) => clue.literal !== '')
        .reduce<Clue<E> | undefined>(
          (best, clue) => (best === undefined || worthOf(clue) > worthOf(best) ? clue : best),
          undefined,
        );
    case 'regex':
      return { operand, operator: 'contains', literal: requiredText(String(literal)) };
    default:
      return undefined;
  }
}
