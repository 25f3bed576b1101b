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

/** Of a condition that holds, at least one clue is found in the event. `worth`: how rarely the least rare of them is found, a guess. */
export interface Clues<E> {
  readonly clues: readonly Clue<E>[];
  readonly worth: number;
}

/** In how many conditions each test (by its node) is a part that may serve as a clue. */
export type Popularity = ReadonlyMap<number, number>;

/** What many conditions ask for (success, tcp) is what most events have: it finds too much to be a good clue. */
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

/** Clues without which a node can't be true; undefined: there are none. Of parts that must all be true, those of the best part. */
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

/** Text is taken to be the rarer the longer it is; equality says more than a part, and a part at the edge costs less to look for. */
const WORTH: Readonly<Record<Clue<unknown>['operator'], { readonly base: number; readonly perCharacter: number }>> = {
  equals: { base: 5, perCharacter: 0.5 },
  startswith: { base: 3, perCharacter: 0.5 },
  endswith: { base: 3, perCharacter: 0.5 },
  pathprefix: { base: 3, perCharacter: 0.5 },
  contains: { base: 1, perCharacter: 0.4 },
};
const COUNTED_CHARACTERS = 12;
/** A directory is the rarer the deeper it lies, however long its name is: most files are below /usr. */
const PER_DIRECTORY = 2.5;
/** Less than a whole path, more than a directory of the root. */
const WORTH_OF_RARE = 6;
/** A process's facts must be read for each that comes by; of an event the kind's table is looked at anyway. */
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
