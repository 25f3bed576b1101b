export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export const isText = (value: unknown): value is string => typeof value === 'string';

/** Accepts a list of at most `max` items, each of which passes `isItem`. */
export function isListOf<T>(value: unknown, max: number, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= max && value.every(isItem);
}
