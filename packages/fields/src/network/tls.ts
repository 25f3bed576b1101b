/**
 * Parses the hello of a TLS client (RFC 8446 4.1.2) from the beginning of a packet, which may be cut. The input is
 * hostile: nothing throws.
 */

export interface TlsHello {
  /** server_name; undefined: none, or it was cut off */
  readonly serverName: string | undefined;
  /** ALPN, as offered: h2, http/1.1 */
  readonly protocols: readonly string[];
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** record header, handshake header, version, random */
const BEFORE_SESSION = 5 + 4 + 2 + 32;
const SERVER_NAME = 0;
const ALPN = 16;
const EXTENSIONS_MAX = 64;
const PROTOCOLS_MAX = 16;

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Returns undefined if the bytes are no client hello. */
export function parseTlsHello(bytes: Uint8Array): TlsHello | undefined {
  if (bytes[0] !== HANDSHAKE || bytes[1] !== 3 || bytes[5] !== CLIENT_HELLO || bytes.length <= BEFORE_SESSION)
    return undefined;
  const suites = BEFORE_SESSION + 1 + (bytes[BEFORE_SESSION] as number);
  const compressions = suites + 2 + word(bytes, suites);
  const extensions = compressions + 1 + (bytes[compressions] ?? 0);
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  let at = extensions + 2;
  const end = Math.min(bytes.length, at + word(bytes, extensions));
  for (let count = 0; count < EXTENSIONS_MAX && at + 4 <= end; count++) {
    const type = word(bytes, at);
    const begin = at + 4;
    const next = begin + word(bytes, at + 2);
    if (next > end) break;
    if (type === SERVER_NAME) serverName ??= readServerName(bytes, begin, next);
    else if (type === ALPN) protocols = readProtocols(bytes, begin, next);
    at = next;
  }
  return { serverName, protocols };
}

/** Reads the first name of the list if it has type 0; real lists have only one name. */
function readServerName(bytes: Uint8Array, at: number, end: number): string | undefined {
  const begin = at + 5;
  const length = word(bytes, at + 3);
  if (begin > end || bytes[at + 2] !== 0 || length === 0 || begin + length > end) return undefined;
  return printable(bytes, begin, length).toLowerCase();
}

function readProtocols(bytes: Uint8Array, at: number, end: number): string[] {
  const protocols: string[] = [];
  for (let i = at + 2; i < end && protocols.length < PROTOCOLS_MAX; ) {
    const length = bytes[i] as number;
    if (length === 0 || i + 1 + length > end) break;
    protocols.push(printable(bytes, i + 1, length));
    i += 1 + length;
  }
  return protocols;
}

/** Names are ASCII; other bytes are escaped as in DNS names. */
function printable(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = at; i < at + length; i++) {
    const byte = bytes[i] as number;
    text += byte <= 0x20 || byte >= 0x7f ? `\\${String(byte).padStart(3, '0')}` : String.fromCharCode(byte);
  }
  return text;
}
