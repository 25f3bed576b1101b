import type { EventView } from '../event-batch.ts';
import { KIND, type KindName, leafIndex } from '../layout.ts';
import { addressText } from './address.ts';
import { bodyLong, bodyText, type Field, some } from './field.ts';

/** Where each fact stands in the two kinds that are ends of one connection. */
const LEAVES: Readonly<Record<number, ReturnType<typeof ends>>> = {
  [KIND.Connect]: ends('Connect', { source: ['localAddress', 'localPort'], destination: ['address', 'port'] }),
  [KIND.Accept]: ends('Accept', { source: ['address', 'port'], destination: ['localAddress', 'localPort'] }),
};
const unixPath = bodyText('Connect', 'path.bytes');
const logAddress = bodyText('Log', 'sourceAddress');
const logPort = bodyLong('Log', 'sourcePort');

type Side = 'source' | 'destination';

function ends(kind: KindName, sides: Readonly<Record<Side, readonly [address: string, port: string]>>) {
  const leaf = (name: string): number => leafIndex(kind, name);
  const side = ([address, port]: readonly [string, string]) => ({ address: leaf(address), port: leaf(port) });
  return {
    family: leaf('family'),
    protocol: leaf('protocol'),
    source: side(sides.source),
    destination: side(sides.destination),
  };
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const kinds = ['connect', 'accept'];
const sourceKinds = [...kinds, 'log'];
const TYPES: Readonly<Record<number, string>> = { [AF_UNIX]: 'unix', [AF_INET]: 'ipv4', [AF_INET6]: 'ipv6' };
const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 1: 'icmp', 58: 'ipv6-icmp', 132: 'sctp' };

const leavesOf = ({ cursor }: EventView): ReturnType<typeof ends> | undefined => LEAVES[cursor.kind];

function familyOf(event: EventView): number {
  const leaves = leavesOf(event);
  return leaves === undefined ? 0 : event.cursor.leafLong(leaves.family);
}

function addressOf(event: EventView, side: Side): string | undefined {
  const leaves = leavesOf(event);
  if (leaves === undefined) return side === 'source' ? some(logAddress(event)) : undefined;
  const { cursor } = event;
  const leaf = leaves[side].address;
  return addressText(cursor.buffer, cursor.leafAt(leaf), cursor.leafLength(leaf));
}

/** A port of 0 is one that is not bound. */
function portOf(event: EventView, side: Side): number | undefined {
  const leaves = leavesOf(event);
  if (leaves === undefined) return side === 'source' ? logPort(event) || undefined : undefined;
  if (familyOf(event) === AF_UNIX) return undefined;
  const port = event.cursor.leafLong(leaves[side].port);
  return side === 'source' && port === 0 ? undefined : port;
}

export const networkFields: readonly Field[] = [
  {
    name: 'source.ip',
    type: 'ip',
    doc: 'Who connected: of a connect, the own address; of an accept, the peer; of a log line, the remote address it names.',
    aliases: ['fd.cip', 'SourceIp'],
    kinds: sourceKinds,
    get: (event) => addressOf(event, 'source'),
  },
  {
    name: 'source.port',
    type: 'number',
    doc: 'Port on the side that connected.',
    aliases: ['fd.cport', 'SourcePort'],
    kinds: sourceKinds,
    get: (event) => portOf(event, 'source'),
  },
  {
    name: 'destination.ip',
    type: 'ip',
    doc: 'Address connected to: of an accept, the own one.',
    aliases: ['fd.sip', 'DestinationIp'],
    kinds,
    get: (event) => addressOf(event, 'destination'),
  },
  {
    name: 'destination.port',
    type: 'number',
    doc: 'Port connected to: of an accept, the own one.',
    aliases: ['fd.sport', 'DestinationPort'],
    kinds,
    get: (event) => portOf(event, 'destination'),
  },
  {
    name: 'network.direction',
    type: 'string',
    doc: 'egress: this host connected; ingress: it was connected to.',
    constants: { connect: 'egress', accept: 'ingress' },
    kinds,
    get: () => undefined,
  },
  {
    name: 'network.transport',
    type: 'string',
    doc: 'tcp or udp.',
    aliases: ['fd.l4proto'],
    kinds,
    get: (event) => TRANSPORTS[event.cursor.leafLong(leavesOf(event)?.protocol ?? 0)],
  },
  { name: 'network.type', type: 'string', doc: 'ipv4, ipv6 or unix.', kinds, get: (event) => TYPES[familyOf(event)] },
  {
    name: 'network.unix.path',
    type: 'string',
    doc: 'Path of the unix socket; one that starts with a NUL is abstract.',
    kinds: ['connect'],
    get: (event) => (familyOf(event) === AF_UNIX ? unixPath(event) : undefined),
  },
];
