/** Paths as text from which their bytes can be had back: names may hold any byte but NUL and the slash. */
import { decodeText } from '@ringfence/wire';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
const UNSAFE = /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

/** Returns the path with `\xNN` for each byte of a backslash, of a control character, and of what is no UTF-8. */
export function pathText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  const plain = buffer.toString('utf8');
  if (!plain.includes('\ufffd')) return plain.replace(UNSAFE, (char) => hex(Buffer.from(char)));
  // Each byte on its own tells a backslash of the name from one of `\xNN`.
  const parts = buffer.toString('latin1').split('\\');
  return parts
    .map((part) => decodeText(Buffer.from(part, 'latin1')).replace(/[^\\]+/g, (text) => safeText(text)))
    .join(hex(Buffer.from('\\')));
}

const safeText = (text: string): string => text.replace(UNSAFE, (char) => hex(Buffer.from(char)));

const ESCAPED = /\\x([0-9a-f]{2})|[^\\]+/gi;

/** Returns the bytes of a path as `pathText` writes it; null: a backslash is not the begin of `\xNN`. */
export function pathBytes(text: string): Buffer | null {
  const parts: Buffer[] = [];
  let taken = 0;
  for (const [part, byte] of text.matchAll(ESCAPED)) {
    parts.push(byte === undefined ? Buffer.from(part) : Buffer.from(byte, 'hex'));
    taken += part.length;
  }
  return taken === text.length ? Buffer.concat(parts) : null;
}
