/** Changes of a text by lines and fields that can be taken back even when others have changed the text since. */
import { z } from 'zod';

/** Texts have one character a byte. */
const bytes = z.string().max(65_536);

const removedLine: z.ZodType<RemovedLine> = z.strictObject({
  at: z.int().min(0),
  line: bytes,
  previous: bytes.nullable(),
});

export interface RemovedLine {
  /** Number of the line in the text before, from 0. */
  readonly at: number;
  /** With its line break, if it has one. */
  readonly line: string;
  readonly previous: string | null;
}

/** One change of a field, counted from 0, of the line that begins with a name and a colon. */
export type FieldChange =
  /** A text is put in front of the field. */
  | { readonly at: number; readonly prefix: string }
  | { readonly at: number; readonly from: string; readonly to: string }
  /** A member is taken out of a list with commas; `index` is its place. */
  | { readonly at: number; readonly member: string; readonly index: number };

const at = z.int().min(0).max(16);
const fieldChange: z.ZodType<FieldChange> = z.union([
  z.strictObject({ at, prefix: z.string().min(1).max(8) }),
  z.strictObject({ at, from: bytes, to: bytes }),
  z.strictObject({ at, member: z.string().min(1).max(256), index: z.int().min(0) }),
]);

export type TextChange =
  | { readonly kind: 'remove'; readonly removed: readonly RemovedLine[] }
  | { readonly kind: 'fields'; readonly name: string; readonly changes: readonly FieldChange[] };

export const textChange: z.ZodType<TextChange> = z.union([
  z.strictObject({ kind: z.literal('remove'), removed: z.array(removedLine).min(1).max(1024) }),
  z.strictObject({ kind: z.literal('fields'), name: z.string().max(256), changes: z.array(fieldChange).min(1).max(8) }),
]);

/** Splits a text into lines that keep their line breaks. */
export const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
export const withoutBreak = (line: string): string => line.replace(/\n$/, '');

/** The change that removes every line that `isWanted` accepts, without its line break. null: there is none. */
export function removeLines(text: string, isWanted: (line: string) => boolean): TextChange | null {
  const lines = linesOf(text);
  const removed = lines.flatMap((line, index): RemovedLine[] =>
    isWanted(withoutBreak(line)) ? [{ at: index, line, previous: lines[index - 1] ?? null }] : [],
  );
  return removed.length === 0 ? null : { kind: 'remove', removed };
}

/** Throws if the text is not the one that the change was made for. */
export function applyChange(text: string, change: TextChange): string {
  if (change.kind === 'fields') return onLineOf(text, change.name, (fields) => change.changes.forEach(doField(fields)));
  const gone = new Map(change.removed.map(({ at, line }) => [at, line]));
  return linesOf(text)
    .filter((line, index) => gone.get(index) !== line)
    .join('');
}

const doField =
  (fields: string[]): ((change: FieldChange) => void) =>
  (change) => {
    const field = fields[change.at] ?? '';
    if ('prefix' in change) fields[change.at] = `${change.prefix}${field}`;
    else if ('member' in change) fields[change.at] = membersOf(field).toSpliced(change.index, 1).join(',');
    else fields[change.at] = change.to;
  };

export const membersOf = (field: string): string[] => (field === '' ? [] : field.split(','));

function onLineOf(text: string, name: string, change: (fields: string[]) => void): string {
  const lines = linesOf(text);
  const index = lines.findIndex((line) => line.startsWith(`${name}:`));
  const line = lines[index];
  if (line === undefined) return text;
  const fields = withoutBreak(line).split(':');
  change(fields);
  return lines.with(index, `${fields.join(':')}${line.endsWith('\n') ? '\n' : ''}`).join('');
}

/** Takes a change back in the very text that it has made. */
export function revertExactly(text: string, change: TextChange): string {
  if (change.kind === 'fields') return revertNearest(text, change).text;
  const lines = linesOf(text);
  for (const { at, line } of change.removed) lines.splice(at, 0, line);
  return lines.join('');
}

export interface Reverted {
  readonly text: string;
  /** What could not be put back as it was, for people. */
  readonly notes: readonly string[];
}

/** Takes a change back in a text that others have changed since. */
export function revertNearest(text: string, change: TextChange): Reverted {
  return change.kind === 'fields' ? revertFields(text, change) : addLines(text, change.removed);
}

function addLines(text: string, removed: readonly RemovedLine[]): Reverted {
  const lines = linesOf(text);
  const notes: string[] = [];
  for (const { line, previous } of removed) {
    if (lines.some((present) => withoutBreak(present) === withoutBreak(line))) {
      notes.push('the line stands there already');
      continue;
    }
    const after = previous === null ? -1 : lines.lastIndexOf(previous);
    const index = previous === null ? 0 : after < 0 ? lines.length : after + 1;
    if (index > 0) lines[index - 1] = `${withoutBreak(lines[index - 1] ?? '')}\n`;
    lines.splice(index, 0, index === lines.length ? line : `${withoutBreak(line)}\n`);
    notes.push(after < 0 && previous !== null ? 'the line is at the end now' : 'the line follows the same line again');
  }
  return { text: lines.join(''), notes };
}

function revertFields(text: string, { name, changes }: Extract<TextChange, { kind: 'fields' }>): Reverted {
  const notes: string[] = [];
  let found = false;
  const result = onLineOf(text, name, (fields) => {
    found = true;
    for (const change of changes)
      if (!undoField(fields, change)) notes.push(`field ${change.at + 1} was changed since`);
  });
  return found ? { text: result, notes } : { text, notes: [`${name} has no line there now`] };
}

/** Returns false if the field is no longer as the change has left it. */
function undoField(fields: string[], change: FieldChange): boolean {
  const field = fields[change.at] ?? '';
  if ('prefix' in change) {
    if (!field.startsWith(change.prefix)) return false;
    fields[change.at] = field.slice(change.prefix.length);
  } else if ('member' in change) {
    const members = membersOf(field);
    if (!members.includes(change.member))
      fields[change.at] = members.toSpliced(Math.min(change.index, members.length), 0, change.member).join(',');
  } else {
    if (field !== change.to) return false;
    fields[change.at] = change.from;
  }
  return true;
}
