import { isIP } from 'node:net';

/** What stands before and after the first `separator`; null: it isn't there. */
export function cut(text: string, separator: string): readonly [string, string] | null {
  const at = text.indexOf(separator);
  return at < 0 ? null : [text.slice(0, at), text.slice(at + separator.length)];
}

/** The same at the last one. */
export function cutLast(text: string, separator: string): readonly [string, string] | null {
  const at = text.lastIndexOf(separator);
  return at < 0 ? null : [text.slice(0, at), text.slice(at + separator.length)];
}

/** What follows a prefix; null: it begins otherwise. */
export const after = (text: string, prefix: string): string | null =>
  text.startsWith(prefix) ? text.slice(prefix.length) : null;

/** Without the prefix, if it is there. */
export const without = (text: string, prefix: string): string => after(text, prefix) ?? text;

export const word = (text: string): string => cut(text, ' ')?.[0] ?? text;

/** What stands between two single quotes at the start: `'bob' to group 'sudo'`. */
export function quoted(text: string): string {
  const end = text.startsWith("'") ? text.indexOf("'", 1) : -1;
  return end < 0 ? '' : text.slice(1, end);
}

export interface Source {
  readonly sourceAddress: string;
  readonly sourcePort: number;
}

/** `10.0.0.1 port 22 ssh2` or `10.0.0.1`; null: no address. What follows is not looked at. */
export function sourceOf(text: string): Source | null {
  const [address = '', name, port = ''] = text.split(' ', 3);
  if (isIP(address) === 0) return null;
  // `port 22:11:` of "Received disconnect"
  const number = name === 'port' ? Number.parseInt(port, 10) : 0;
  return { sourceAddress: address, sourcePort: number > 0 && number < 65_536 ? number : 0 };
}
