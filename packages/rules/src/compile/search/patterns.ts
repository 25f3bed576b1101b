import type { FieldSpec } from '../../model/catalogue.ts';
import type { Operand } from '../../model/expression.ts';
import { isPlain } from '../nodes/known.ts';
import type { Clue } from './clues.ts';
import type { Pattern } from './text-search.ts';

/** Looks up a field by name; undefined: there is no such field. */
export type Fields<E> = (name: string) => FieldSpec<E> | undefined;

/** Where a clue is searched. Without patterns the value must equal the literal. */
export interface Place<E> {
  readonly operand: Operand<E>;
  readonly patterns: readonly Pattern[];
}

/**
 * Conditions on a path's name or directory are searched in the path itself, with those on the whole path: one pass for
 * all three.
 */
export function placeOf<E>(clue: Clue<E>, fields: Fields<E>): Place<E> {
  const { operand, operator, literal } = clue;
  if (typeof literal !== 'string') return { operand, patterns: [] };
  const { part } = operand.field;
  const { field, transforms, argument } = operand;
  if (transforms.length === 1 && transforms[0] === 'basename' && argument === undefined && field.type === 'string')
    return { operand: plain(field), patterns: inName(operator, literal) };
  const whole = part === undefined || !isPlain(operand) ? undefined : fields(part.of);
  // A process's values are searched only once anyway.
  if (whole === undefined || part === undefined || whole.subject !== undefined)
    return { operand, patterns: inText(operator, literal) };
  return { operand: plain(whole), patterns: IN_PART[part.is](operator, literal) };
}

function plain<E>(field: FieldSpec<E>): Operand<E> {
  return { key: field.name, field, argument: undefined, transforms: [], type: field.type };
}

const pattern = (text: string, atStart: boolean, atEnd: boolean): Pattern => ({ text, atStart, atEnd });

export function inText(operator: Clue<unknown>['operator'], text: string): Pattern[] {
  switch (operator) {
    case 'equals':
      return [pattern(text, true, true)];
    case 'startswith':
      return [pattern(text, true, false)];
    case 'endswith':
      return [pattern(text, false, true)];
    case 'contains':
      return [pattern(text, false, false)];
    case 'pathprefix':
      // Every absolute path is below the root.
      return text === '/' ? [pattern('/', true, false)] : [pattern(text, true, true), pattern(`${text}/`, true, false)];
  }
}

/** Behind the last slash, or in a text without one. */
function inName(operator: Clue<unknown>['operator'], name: string): Pattern[] {
  if (operator === 'endswith' || operator === 'contains') return inText(operator, name);
  const atEnd = operator !== 'startswith';
  return [pattern(`/${name}`, false, atEnd), pattern(name, true, atEnd)];
}

/** In front of the last slash; the directory of an entry of the root is the root. */
function inDirectory(operator: Clue<unknown>['operator'], directory: string): Pattern[] {
  const isWhole = operator === 'equals' || operator === 'pathprefix';
  if (isWhole) return [pattern(directory === '/' ? '/' : `${directory}/`, true, false)];
  return [pattern(directory, operator === 'startswith', false)];
}

/** Behind a dot. */
function inExtension(operator: Clue<unknown>['operator'], extension: string): Pattern[] {
  if (operator === 'endswith' || operator === 'contains') return inText(operator, extension);
  return [pattern(`.${extension}`, false, operator !== 'startswith')];
}

const IN_PART = { name: inName, directory: inDirectory, extension: inExtension };
