import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ifReadable } from '@ringfence/host-kit';

/**
 * Returns the paths that match a pattern now. Only the last component may contain `*`; without it, returns the path.
 */
export function expand(pattern: string): string[] {
  const base = basename(pattern);
  if (!base.includes('*')) return [pattern];
  const parts = base.split('*');
  const names = ifReadable(() => readdirSync(dirname(pattern))) ?? [];
  return names.filter((name) => matches(name, parts)).map((name) => join(dirname(pattern), name));
}

/** Whether a name contains the parts in order, the first at its start and the last at its end. */
function matches(name: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    at = name.indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return at <= name.length - last.length;
}
