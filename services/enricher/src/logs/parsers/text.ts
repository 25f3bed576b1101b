import { isIP } from 'node:net';

/** Splits a text at the first `separator`; null: there is none. */
export function cut(text: string, separator: string): readonly [string, string] | null {
  const at = text.indexOf(separator);
  return at < 0 ? null : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Splits a text at the last `separator`; null: there is none. */
export function cutLast(text: string, separator: string): readonly [string, string] | null {
  const at = text.lastIndexOf(separator);
  return at < 0 ? null : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Returns the text after a prefix; null: it does not begin with the prefix. */
export const after = (text: string, prefix: string): string | null =>
  text.startsWith(prefix) ? text.slice(prefix.length) : null;

/** Removes the prefix, if there is one. */
export const without = (text: string, prefix: string): string => after(text, prefix) ?? text;

/** Returns the text up to the first space. */
export const firstWord = (text: string): string => cut(text, ' ')?.[0] ?? text;

/** Returns the quoted text at the start, such as `bob` of `'bob' to group 'sudo'`; empty: there is none. */
export function quoted(text: string): string {
  const end = text.startsWith("'") ? text.indexOf("'", 1) : -1;
  return end < 0 ? '' : text.slice(1, end);
}

/** Returns the value of the first part `key=value`; empty: there is none. */
export const valueIn = (parts: readonly string[], key: string): string =>
  parts.map((part) => after(part, `${key}=`)).find((value) => value !== null) ?? '';

export interface Source {
  readonly sourceAddress: string;
  readonly sourcePort: number;
}

/** Parses `10.0.0.1 port 22 ssh2` or `10.0.0.1` and ignores the rest; null: it does not begin with an address. */
export function sourceOf(text: string): Source | null {
  const [address = '', name, port = ''] = text.split(' ', 3);
  if (isIP(address) === 0) return null;
  // parseInt, because "Received disconnect" has `port 22:11:`.
  const number = name === 'port' ? Number.parseInt(port, 10) : 0;
  return { sourceAddress: address, sourcePort: number > 0 && number < 65_536 ? number : 0 };
}
