import type { FileFacts } from './scan.ts';

export interface Change {
  readonly path: string;
  /** part of the output of `ringfence fim diff --json` */
  readonly what: 'added' | 'removed' | 'changed';
  /** the differences: property, value before and after */
  readonly fields: readonly (readonly [name: keyof FileFacts, before: string, after: string])[];
}

const FIELDS = ['type', 'mode', 'uid', 'gid', 'size', 'sha256', 'target', 'device', 'capabilities', 'unread'] as const;

function format(facts: FileFacts, field: keyof FileFacts): string {
  const value = facts[field];
  if (value === undefined) return 'none';
  return field === 'mode' ? Number(value).toString(8).padStart(4, '0') : String(value);
}

/** Returns the differences sorted by path. */
export function compare(before: ReadonlyMap<string, FileFacts>, after: ReadonlyMap<string, FileFacts>): Change[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): Change[] => {
    const [previous, current] = [before.get(path), after.get(path)];
    if (previous === undefined) return [{ path, what: 'added', fields: [] }];
    if (current === undefined) return [{ path, what: 'removed', fields: [] }];
    const fields = FIELDS.filter((field) => previous[field] !== current[field]).map(
      (field) => [field, format(previous, field), format(current, field)] as const,
    );
    return fields.length === 0 ? [] : [{ path, what: 'changed', fields }];
  });
}
