import { asBuffer } from './bytes.ts';

/**
 * Characters that terminals and logs must not receive: C0 and C1 controls, DEL, line separators, bidi overrides,
 * U+FFFD.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffd]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const UNSAFE_ALL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** Returns the text with every control character as \xNN or \uNNNN, so that it is safe on one line of a terminal. */
export function escapeText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_ALL, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x100 ? hex(code) : `\\u${code.toString(16)}`;
  });
}

/**
 * Decodes UTF-8; each byte that is not part of valid UTF-8 becomes \xNN. Keeps control characters, because rules can
 * match them: escape the text for output.
 */
export function decodeText(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const buffer = asBuffer(bytes);
  const text = buffer.toString('utf8', start, end);
  return text.includes('\ufffd') ? decodeBroken(buffer.subarray(start, end)) : text;
}

function decodeBroken(bytes: Buffer): string {
  let out = '';
  let at = 0;
  while (at < bytes.length) {
    const size = sequenceSize(bytes, at);
    const text = size === 0 ? '' : bytes.toString('utf8', at, at + size);
    const valid = size > 0 && (!text.includes('\ufffd') || bytes.subarray(at, at + size).equals(REPLACEMENT));
    out += valid ? text : hex(bytes[at] as number);
    at += valid ? size : 1;
  }
  return out;
}

const REPLACEMENT = Buffer.from('\ufffd');

/** Returns the length of the UTF-8 sequence at `at`; 0 if no sequence begins there, or if it is cut off. */
function sequenceSize(bytes: Buffer, at: number): number {
  const lead = bytes[at] as number;
  const size =
    lead < 0x80
      ? 1
      : lead >= 0xc2 && lead < 0xe0
        ? 2
        : lead >= 0xe0 && lead < 0xf0
          ? 3
          : lead >= 0xf0 && lead < 0xf5
            ? 4
            : 0;
  return at + size <= bytes.length ? size : 0;
}

/** Splits NUL-separated bytes, such as argv, into strings. A trailing NUL ends the last string. */
export function splitText(bytes: Uint8Array, start = 0, end: number = bytes.length): string[] {
  if (start === end) return [];
  return decodeText(bytes, start, bytes[end - 1] === 0 ? end - 1 : end).split('\0');
}

/** A text as a range of bytes. */
export interface TextSpan {
  bytes: Uint8Array;
  start: number;
  end: number;
}
