/** Text in which each character is one byte. */
type Bytes = string;

export const ENCODINGS = ['base64', 'base64offset', 'utf16', 'utf16le', 'utf16be', 'wide'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Applies encodings one after the other; `base64offset` returns three texts. */
export function encode(text: string, encodings: readonly Encoding[]): readonly string[] {
  let bytes: readonly Bytes[] = [text];
  let encoded = false;
  for (const encoding of encodings) {
    // The first base64 encoding converts characters to bytes.
    if (!encoded && encoding.startsWith('base64')) bytes = bytes.map(utf8);
    encoded = true;
    bytes = bytes.flatMap((encoded) => apply(encoding, encoded));
  }
  return bytes;
}

function apply(encoding: Encoding, bytes: Bytes): readonly Bytes[] {
  switch (encoding) {
    case 'base64':
      return [base64(bytes)];
    case 'base64offset':
      return offsets(bytes);
    case 'utf16':
      return [`\u00ff\u00fe${utf16le(bytes)}`];
    case 'utf16be':
      return [Buffer.from(bytes, 'utf16le').swap16().toString('latin1')];
    default:
      return [utf16le(bytes)];
  }
}

const utf8 = (text: string): Bytes => Buffer.from(text, 'utf8').toString('latin1');
const utf16le = (text: string): Bytes => Buffer.from(text, 'utf16le').toString('latin1');
const base64 = (bytes: Bytes): string => Buffer.from(bytes, 'latin1').toString('base64');

/**
 * Encodes a text at each of its three possible offsets, since three bytes are four characters, and returns the parts
 * that do not depend on its neighbours.
 */
function offsets(bytes: Bytes): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const whole = base64(`${' '.repeat(offset)}${bytes}`).replace(/=+$/, '');
    const start = [0, 2, 3][offset]!;
    const sure = Math.floor(((offset + bytes.length) * 8) / 6);
    return whole.slice(start, sure);
  });
}
