import type { EventView } from '../event-batch.ts';
import { leafIndex } from '../layout.ts';
import { bodyLong, bodyText, type Field } from './field.ts';

const family = bodyLong('Connect', 'family');
const protocol = bodyLong('Connect', 'protocol');
const port = bodyLong('Connect', 'port');
const unixPath = bodyText('Connect', 'path.bytes');
const address = leafIndex('Connect', 'address');

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const kinds = ['connect'];
const TYPES: Readonly<Record<number, string>> = { [AF_UNIX]: 'unix', [AF_INET]: 'ipv4', [AF_INET6]: 'ipv6' };
const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 1: 'icmp', 58: 'ipv6-icmp', 132: 'sctp' };

/** Text of an address of 4 or 16 bytes in network order (RFC 5952 for IPv6; IPv4-mapped ones as IPv4); undefined for any other length. */
export function addressText(bytes: Uint8Array, at = 0, length: number = bytes.length): string | undefined {
  if (length === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  if (length !== 16) return undefined;
  const words = Array.from(
    { length: 8 },
    (_, i) => ((bytes[at + 2 * i] as number) << 8) | (bytes[at + 2 * i + 1] as number),
  );
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) return addressText(bytes, at + 12, 4);
  return compress(words);
}

/** The longest run of two or more zero words becomes `::`. */
function compress(words: readonly number[]): string {
  let best = 0;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (words[i + run] === 0) run++;
    if (run > length) [best, length] = [i, run];
  }
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return length < 2 ? hex(words) : `${hex(words.slice(0, best))}::${hex(words.slice(best + length))}`;
}

const destination = (event: EventView): string | undefined =>
  addressText(event.cursor.buffer, event.cursor.leafAt(address), event.cursor.leafLength(address));

export const networkFields: readonly Field[] = [
  {
    name: 'destination.ip',
    type: 'ip',
    doc: 'Address connected to.',
    aliases: ['fd.sip', 'DestinationIp'],
    kinds,
    get: destination,
  },
  {
    name: 'destination.port',
    type: 'number',
    doc: 'Port connected to.',
    aliases: ['fd.sport', 'DestinationPort'],
    kinds,
    get: (event) => (family(event) === AF_UNIX ? undefined : port(event)),
  },
  {
    name: 'network.transport',
    type: 'string',
    doc: 'tcp or udp.',
    aliases: ['fd.l4proto'],
    kinds,
    get: (event) => TRANSPORTS[protocol(event)],
  },
  { name: 'network.type', type: 'string', doc: 'ipv4, ipv6 or unix.', kinds, get: (event) => TYPES[family(event)] },
  {
    name: 'network.unix.path',
    type: 'string',
    doc: 'Path of the unix socket; one that starts with a NUL is abstract.',
    kinds,
    get: (event) => (family(event) === AF_UNIX ? unixPath(event) : undefined),
  },
];
