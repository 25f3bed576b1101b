import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ifReadable } from '@ringfence/host-kit';

/** Paths that a pattern means now: itself, or with `*` in its last part the names that fit. */
export function expand(pattern: string): string[] {
  const base = basename(pattern);
  if (!base.includes('*')) return [pattern];
  const parts = base.split('*');
  const names = ifReadable(() => readdirSync(dirname(pattern))) ?? [];
  return names.filter((name) => fits(name, parts)).map((name) => join(dirname(pattern), name));
}

/** `parts`: what must stand in it in this order, the first at its start, the last at its end. */
function fits(name: string, parts: readonly string[]): boolean {
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
