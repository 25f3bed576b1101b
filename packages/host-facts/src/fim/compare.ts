import type { FileFacts } from './scan.ts';

export interface Change {
  readonly path: string;
  readonly what: 'added' | 'removed' | 'changed';
  /** of what has changed: name, before and after */
  readonly fields: readonly (readonly [name: keyof FileFacts, before: string, after: string])[];
}

const FIELDS = ['type', 'mode', 'uid', 'gid', 'size', 'sha256', 'target', 'device', 'capabilities', 'unread'] as const;

function shown(facts: FileFacts, field: keyof FileFacts): string {
  const value = facts[field];
  if (value === undefined) return 'none';
  return field === 'mode' ? Number(value).toString(8).padStart(4, '0') : String(value);
}

/** In the order of the paths. */
export function compare(before: ReadonlyMap<string, FileFacts>, after: ReadonlyMap<string, FileFacts>): Change[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path): Change[] => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === undefined) return [{ path, what: 'added', fields: [] }];
    if (is === undefined) return [{ path, what: 'removed', fields: [] }];
    const fields = FIELDS.filter((field) => was[field] !== is[field]).map(
      (field) => [field, shown(was, field), shown(is, field)] as const,
    );
    return fields.length === 0 ? [] : [{ path, what: 'changed', fields }];
  });
}
