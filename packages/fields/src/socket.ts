import { leaf, records } from '@ringfence/wire';
import { bodyLong, bodyText, type Field } from './field.ts';

const family = bodyLong(leaf.Socket.family);
const type = bodyLong(leaf.Socket.type);
const protocol = bodyLong(leaf.Socket.protocol);
const operation = bodyLong(leaf.Socket.operation);
const backlog = bodyLong(leaf.Socket.backlog);
const contextId = bodyLong(leaf.Socket.contextId);
const path = bodyText(leaf.Socket.pathBytes);

const AF_ALG = 38;
const AF_VSOCK = 40;
const kinds = ['socket'];

/** Those that somebody may name in a rule. */
const FAMILIES: Readonly<Record<number, string>> = {
  1: 'AF_UNIX',
  2: 'AF_INET',
  3: 'AF_AX25',
  4: 'AF_IPX',
  5: 'AF_APPLETALK',
  9: 'AF_X25',
  10: 'AF_INET6',
  15: 'AF_KEY',
  16: 'AF_NETLINK',
  17: 'AF_PACKET',
  21: 'AF_RDS',
  24: 'AF_PPPOX',
  26: 'AF_LLC',
  29: 'AF_CAN',
  30: 'AF_TIPC',
  31: 'AF_BLUETOOTH',
  33: 'AF_RXRPC',
  36: 'AF_IEEE802154',
  38: 'AF_ALG',
  39: 'AF_NFC',
  40: 'AF_VSOCK',
  43: 'AF_SMC',
  44: 'AF_XDP',
};
const TYPES: Readonly<Record<number, string>> = {
  1: 'stream',
  2: 'datagram',
  3: 'raw',
  4: 'rdm',
  5: 'seqpacket',
  10: 'packet',
};

/** What only a socket has that is made, bound or listens. */
export const socketFields: readonly Field[] = [
  {
    name: 'ringfence.socket.family',
    type: 'string',
    doc: 'AF_PACKET, AF_ALG, AF_VSOCK, …, or its number.',
    aliases: ['evt.arg.domain'],
    kinds,
    get: (event) => FAMILIES[family(event)] ?? String(family(event)),
  },
  {
    name: 'ringfence.socket.type',
    type: 'string',
    doc: 'stream, datagram, raw, seqpacket, or its number.',
    kinds,
    get: (event) => TYPES[type(event)] ?? String(type(event)),
  },
  {
    name: 'ringfence.socket.protocol',
    type: 'number',
    doc: 'IPPROTO_* or NETLINK_*; of a packet socket ETH_P_* (3: all).',
    kinds,
    get: protocol,
  },
  {
    name: 'ringfence.socket.backlog',
    type: 'number',
    doc: 'How many may wait to be accepted.',
    kinds,
    get: (event) => (operation(event) === records.SocketOperation.SOCKET_LISTEN ? backlog(event) : undefined),
  },
  {
    name: 'ringfence.socket.context_id',
    type: 'number',
    doc: 'Of a vsock: which machine; 4294967295: any.',
    kinds,
    get: (event) =>
      family(event) === AF_VSOCK && operation(event) !== records.SocketOperation.SOCKET_SOCKET
        ? contextId(event)
        : undefined,
  },
  {
    name: 'ringfence.socket.algorithm',
    type: 'string',
    doc: 'Of a bound AF_ALG socket: type and name of the algorithm, skcipher/cbc(aes).',
    kinds,
    get: (event) => (family(event) === AF_ALG ? path(event).replace('\0', '/') || undefined : undefined),
  },
];
