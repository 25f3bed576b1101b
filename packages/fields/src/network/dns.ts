/**
 * Parses DNS messages (RFC 1035) from the beginning of a packet. The input is hostile: every length is checked, names
 * can't loop, nothing throws.
 */
import { addressText } from '@ringfence/wire';

export interface DnsMessage {
  readonly response: boolean;
  /** NOERROR, NXDOMAIN, …, or its number */
  readonly responseCode: string;
  readonly questions: readonly DnsQuestion[];
  /** addresses, names, or type and size of other records, as far as the packet was kept */
  readonly answers: readonly DnsAnswer[];
  /** addresses of A and AAAA answers */
  readonly addresses: readonly string[];
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: string;
}

export interface DnsAnswer extends DnsQuestion {
  readonly data: string;
}

const HEADER = 12;
const QUESTIONS_MAX = 4;
const ANSWERS_MAX = 32;
const LABELS_MAX = 128;
const NAME_MAX = 255;
const POINTERS_MAX = 32;

const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  10: 'NULL',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  35: 'NAPTR',
  41: 'OPT',
  43: 'DS',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  64: 'SVCB',
  65: 'HTTPS',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
};
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET'];

interface Name {
  readonly text: string;
  /** offset after the name */
  readonly end: number;
}

const typeName = (type: number): string => TYPES[type] ?? `TYPE${type}`;

/** Over TCP a length precedes the message, unless it was sent separately. Returns undefined if there is no message. */
export function parseDns(bytes: Uint8Array, tcp: boolean): DnsMessage | undefined {
  if (!tcp) return parseMessage(bytes);
  const behindLength = bytes.subarray(2);
  if (word(bytes, 0) === behindLength.length) return parseMessage(behindLength);
  // A cut message does not have the length in its prefix. An id and a length look alike, so try both parses.
  return parseMessage(bytes) ?? parseMessage(behindLength);
}

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

function parseMessage(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < HEADER) return undefined;
  const flags = word(bytes, 2);
  const count = word(bytes, 4);
  // No software uses opcodes beyond 5, the reserved bit or many questions.
  if (((flags >> 11) & 15) > 5 || (flags & 0x40) !== 0 || count === 0 || count > QUESTIONS_MAX) return undefined;
  const questions: DnsQuestion[] = [];
  let at = HEADER;
  for (let i = 0; i < count; i++) {
    const name = readName(bytes, at);
    if (name === undefined || name.end + 4 > bytes.length) return undefined;
    questions.push({ name: name.text, type: typeName(word(bytes, name.end)) });
    at = name.end + 4;
  }
  const addresses: string[] = [];
  const answers = readAnswers(bytes, at, Math.min(word(bytes, 6), ANSWERS_MAX), addresses);
  const code = flags & 15;
  return { response: (flags & 0x8000) !== 0, responseCode: CODES[code] ?? String(code), questions, answers, addresses };
}

function readAnswers(bytes: Uint8Array, begin: number, count: number, addresses: string[]): DnsAnswer[] {
  const answers: DnsAnswer[] = [];
  let at = begin;
  for (let i = 0; i < count; i++) {
    const name = readName(bytes, at);
    if (name === undefined || name.end + 10 > bytes.length) break;
    const type = word(bytes, name.end);
    const length = word(bytes, name.end + 8);
    const data = name.end + 10;
    if (data + length > bytes.length) break;
    const address =
      (type === 1 && length === 4) || (type === 28 && length === 16) ? addressText(bytes, data, length) : undefined;
    if (address !== undefined) addresses.push(address);
    answers.push({ name: name.text, type: typeName(type), data: address ?? dataText(bytes, type, data, length) });
    at = data + length;
  }
  return answers;
}

/** NS, CNAME and PTR contain a name; other records are shown by type and length. */
function dataText(bytes: Uint8Array, type: number, at: number, length: number): string {
  const name = type === 2 || type === 5 || type === 12 ? readName(bytes, at) : undefined;
  return name?.text ?? `${typeName(type)} (${length} bytes)`;
}

/** Reads labels, and pointers to the remaining labels. A pointer must lead backwards, so reading ends. */
function readName(bytes: Uint8Array, begin: number): Name | undefined {
  const labels: string[] = [];
  let at = begin;
  let end: number | undefined;
  let size = 0;
  for (let step = 0; step < LABELS_MAX + POINTERS_MAX; step++) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return { text: labels.length === 0 ? '.' : labels.join('.'), end: end ?? at + 1 };
    if ((length & 0xc0) === 0xc0) {
      const target = word(bytes, at) & 0x3fff;
      if (at + 1 >= bytes.length || target >= at) return undefined;
      end ??= at + 2;
      at = target;
      continue;
    }
    size += length + 1;
    if ((length & 0xc0) !== 0 || size > NAME_MAX || at + length >= bytes.length) return undefined;
    labels.push(labelText(bytes, at + 1, length));
    at += length + 1;
  }
  return undefined;
}

/** Formats a label like zone files: a dot inside a label and unprintable bytes are escaped. */
function labelText(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = at; i < at + length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x2e || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte <= 0x20 || byte >= 0x7f) text += `\\${String(byte).padStart(3, '0')}`;
    else text += String.fromCharCode(byte).toLowerCase();
  }
  return text;
}
