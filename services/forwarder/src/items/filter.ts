import { Priorities, type Priority } from '@ringfence/wire';
import type { Match, SinkSettings } from '../settings/common.ts';
import type { Item } from '../sink.ts';

export type Filter = (item: Item) => boolean;

/** Returns whether a sink wants an item: it matches `only` and does not match `except`. */
export function createFilter({ only, except }: Pick<SinkSettings, 'only' | 'except'>): Filter {
  const matchesOnly = only === undefined ? () => true : matcherOf(only);
  const matchesExcept = except === undefined ? () => false : matcherOf(except);
  return (item) => matchesOnly(item) && !matchesExcept(item);
}

function matcherOf({ severity, kinds, fields }: Match): Filter {
  const conditions = Object.entries(fields);
  const least = severity === undefined ? 0 : Priorities.indexOf(severity);
  return (item) => {
    if (kinds !== undefined && !kinds.includes(item.kind)) return false;
    const priority = priorityOf(item);
    // What was done has no priority: an analyst who sees the incident also sees what was done about it.
    if (priority !== null && Priorities.indexOf(priority) < least) return false;
    return conditions.every(([field, globs]) =>
      valuesOf(item.document[field]).some((value) => globs.some((glob) => matchesGlob(glob, value))),
    );
  };
}

const priorityOf = ({ kind, record }: Item): Priority | null => {
  if (kind === 'alert') return record.priority;
  return kind === 'incident' ? record.severity : null;
};

const valuesOf = (value: unknown): string[] =>
  value === undefined || value === null ? [] : [value].flat().map(String);

/**
 * Returns whether the whole text matches; `*` matches any characters. Takes time in proportion to the text: each part
 * is looked for behind the one before it. A regular expression would try all ways to divide the text.
 */
function matchesGlob(glob: string, text: string): boolean {
  const [head = '', ...parts] = glob.split(/\*+/);
  const tail = parts.pop();
  if (tail === undefined) return text === head;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - tail.length;
}
