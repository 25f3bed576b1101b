import { leaf, records, SOCK } from '@ringfence/wire';
import { bodyLong, bodyText, type Field } from '../field.ts';

const family = bodyLong(leaf.Socket.family);
const type = bodyLong(leaf.Socket.type);
const protocol = bodyLong(leaf.Socket.protocol);
const operation = bodyLong(leaf.Socket.operation);
const backlog = bodyLong(leaf.Socket.backlog);
const contextId = bodyLong(leaf.Socket.contextId);
const path = bodyText(leaf.Socket.pathBytes);

const { AF_ALG, AF_VSOCK } = records.AddressFamily;
const kinds = ['socket'];

const FAMILIES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(records.AddressFamily).map(([name, number]) => [number, name]),
);
const TYPES: Readonly<Record<number, string>> = {
  [SOCK.STREAM]: 'stream',
  [SOCK.DGRAM]: 'datagram',
  [SOCK.RAW]: 'raw',
  [SOCK.RDM]: 'rdm',
  [SOCK.SEQPACKET]: 'seqpacket',
  [SOCK.PACKET]: 'packet',
};

/** Fields of events in which a socket is created, bound or listens. */
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
    doc: 'IPPROTO_* or NETLINK_*; ETH_P_* for a packet socket (3: all).',
    kinds,
    get: protocol,
  },
  {
    name: 'ringfence.socket.backlog',
    type: 'number',
    doc: 'Number of connections that can wait to be accepted.',
    kinds,
    get: (event) => (operation(event) === records.SocketOperation.SOCKET_LISTEN ? backlog(event) : undefined),
  },
  {
    name: 'ringfence.socket.context_id',
    type: 'number',
    doc: 'Context id of a vsock address, which names a virtual machine; 4294967295 means any machine.',
    kinds,
    get: (event) =>
      family(event) === AF_VSOCK && operation(event) !== records.SocketOperation.SOCKET_SOCKET
        ? contextId(event)
        : undefined,
  },
  {
    name: 'ringfence.socket.algorithm',
    type: 'string',
    doc: 'Type and name of the algorithm of a bound AF_ALG socket: skcipher/cbc(aes).',
    kinds,
    get: (event) => (family(event) === AF_ALG ? path(event).replace('\0', '/') || undefined : undefined),
  },
];
