import {
  addressText,
  type BytesLeaf,
  type EventView,
  IPPROTO,
  KIND,
  type LongLeaf,
  leaf,
  records,
} from '@ringfence/wire';
import { bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { ioUring } from '../kernel/io-uring.ts';

type Side = 'source' | 'destination';
interface End {
  readonly address: BytesLeaf;
  readonly port: LongLeaf;
}

interface Ends {
  readonly family: LongLeaf;
  readonly protocol: LongLeaf;
  readonly local: End;
  readonly peer: End | undefined;
  /** The peer is the source. */
  readonly incoming: (event: EventView) => boolean;
}

/** Leaves of a kind that has both ends of a connection. */
interface ConnectionLeaves extends End {
  readonly family: LongLeaf;
  readonly protocol: LongLeaf;
  readonly localAddress: BytesLeaf;
  readonly localPort: LongLeaf;
}

const ends = (leaves: ConnectionLeaves, incoming: Ends['incoming']): Ends => ({
  family: leaves.family,
  protocol: leaves.protocol,
  local: { address: leaves.localAddress, port: leaves.localPort },
  peer: leaves,
  incoming,
});
const isEgress = bodyBoolean(leaf.Packet.egress);

/** Leaves by kind, for kinds with two ends or one. */
const LEAVES: Readonly<Record<number, Ends>> = {
  [KIND.Connect]: ends(leaf.Connect, () => false),
  [KIND.Accept]: ends(leaf.Accept, () => true),
  [KIND.Flow]: ends(leaf.Flow, bodyBoolean(leaf.Flow.incoming)),
  [KIND.Datagram]: ends(leaf.Datagram, bodyBoolean(leaf.Datagram.incoming)),
  [KIND.Packet]: ends(leaf.Packet, (event) => !isEgress(event)),
  [KIND.Redirect]: ends(leaf.Redirect, bodyBoolean(leaf.Redirect.incoming)),
  // A socket that is bound or listens waits for connections: its address is the destination.
  [KIND.Socket]: {
    family: leaf.Socket.family,
    protocol: leaf.Socket.protocol,
    local: leaf.Socket,
    peer: undefined,
    incoming: () => true,
  },
};
const unixPaths: Readonly<Record<number, (event: EventView) => string>> = {
  [KIND.Connect]: bodyText(leaf.Connect.pathBytes),
  [KIND.Datagram]: bodyText(leaf.Datagram.pathBytes),
  [KIND.Socket]: bodyText(leaf.Socket.pathBytes),
};
const logAddress = bodyText(leaf.Log.sourceAddress);
const logPort = bodyLong(leaf.Log.sourcePort);

const { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK } = records.AddressFamily;
const twoEnds = ['connect', 'accept', 'flow', 'datagram', 'packet', 'redirect'];
const kinds = [...twoEnds, 'socket'];
const endKinds = [...kinds, 'io_uring'];
const peerKinds = [...twoEnds, 'io_uring'];
const sourceKinds = [...twoEnds, 'io_uring', 'log'];
const TYPES: Readonly<Record<number, string>> = {
  [AF_UNIX]: 'unix',
  [AF_INET]: 'ipv4',
  [AF_INET6]: 'ipv6',
  [AF_NETLINK]: 'netlink',
  [AF_PACKET]: 'packet',
  [AF_ALG]: 'alg',
  [AF_VSOCK]: 'vsock',
};
const TRANSPORTS: Readonly<Record<number, string>> = {
  [IPPROTO.TCP]: 'tcp',
  [IPPROTO.UDP]: 'udp',
  [IPPROTO.ICMP]: 'icmp',
  [IPPROTO.ICMPV6]: 'ipv6-icmp',
  [IPPROTO.SCTP]: 'sctp',
};

const leavesOf = ({ cursor }: EventView): Ends | undefined => LEAVES[cursor.kind];

function familyOf(event: EventView): number {
  if (ioUring.is(event)) return ioUring.family(event);
  const leaves = leavesOf(event);
  return leaves === undefined ? 0 : event.cursor.leafLong(leaves.family);
}

/** A socket that replaced a standard stream may not be connected. */
const hasPeer = ({ cursor }: EventView, { peer }: Ends): boolean =>
  cursor.kind !== KIND.Redirect || (peer !== undefined && cursor.leafLong(peer.port) !== 0);

function endOf(event: EventView, leaves: Ends, side: Side): End | undefined {
  const end = leaves.incoming(event) === (side === 'source') ? leaves.peer : leaves.local;
  return end === leaves.peer && !hasPeer(event, leaves) ? undefined : end;
}

function addressOf(event: EventView, side: Side): string | undefined {
  if (ioUring.is(event)) return ioUring.address(event, side);
  const leaves = leavesOf(event);
  if (leaves === undefined) return side === 'source' ? nonEmpty(logAddress(event)) : undefined;
  const { cursor } = event;
  const end = endOf(event, leaves, side);
  // Port 0 is not a real source port: a failed accept has no peer.
  if (end === undefined || (side === 'source' && cursor.leafLong(end.port) === 0)) return undefined;
  return addressText(cursor.buffer, cursor.leafAt(end.address), cursor.leafLength(end.address));
}

/** A source port of 0 means that the socket is not bound. */
function portOf(event: EventView, side: Side): number | undefined {
  if (ioUring.is(event)) return ioUring.port(event, side) || undefined;
  const leaves = leavesOf(event);
  if (leaves === undefined) return side === 'source' ? logPort(event) || undefined : undefined;
  const end = endOf(event, leaves, side);
  const family = familyOf(event);
  if (end === undefined || (family !== AF_INET && family !== AF_INET6 && family !== AF_VSOCK)) return undefined;
  const port = event.cursor.leafLong(end.port);
  return side === 'source' && port === 0 ? undefined : port;
}

function directionOf(event: EventView): string | undefined {
  const leaves = leavesOf(event);
  if (leaves?.peer === undefined || !hasPeer(event, leaves)) return undefined;
  return leaves.incoming(event) ? 'ingress' : 'egress';
}

function transportOf(event: EventView): string | undefined {
  const family = familyOf(event);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const leaves = leavesOf(event);
  return leaves === undefined ? undefined : TRANSPORTS[event.cursor.leafLong(leaves.protocol)];
}

function namesOf(event: EventView, side: Side): readonly string[] | undefined {
  const address = addressOf(event, side);
  return address === undefined ? undefined : event.namesOf(address);
}

const NAMES =
  'that programs of its container (or of the host) resolved to this address within the last hour; DNS answers can be forged';

export const networkFields: readonly Field[] = [
  {
    name: 'source.ip',
    type: 'ip',
    doc: 'Address that connected or sent: the local one (connect), the peer (accept), the side that opened the connection (redirect), or the remote address in a log line.',
    aliases: ['fd.cip', 'SourceIp'],
    kinds: sourceKinds,
    get: (event) => addressOf(event, 'source'),
  },
  {
    name: 'source.port',
    type: 'number',
    doc: 'Port on the side that connected or sent.',
    aliases: ['fd.cport', 'SourcePort'],
    kinds: sourceKinds,
    get: (event) => portOf(event, 'source'),
  },
  {
    name: 'destination.ip',
    type: 'ip',
    doc: 'Address connected or sent to: the local one on accept, bind or listen.',
    aliases: ['fd.sip', 'DestinationIp'],
    kinds: endKinds,
    get: (event) => addressOf(event, 'destination'),
  },
  {
    name: 'destination.port',
    type: 'number',
    doc: 'Port connected or sent to: the local one on accept, bind or listen.',
    aliases: ['fd.sport', 'DestinationPort'],
    kinds: endKinds,
    get: (event) => portOf(event, 'destination'),
  },
  {
    name: 'source.domain',
    type: 'strings',
    doc: `Names of the source ${NAMES}.`,
    aliases: ['fd.cip.name'],
    kinds: peerKinds,
    get: (event) => namesOf(event, 'source'),
  },
  {
    name: 'destination.domain',
    type: 'strings',
    doc: `Names of the destination ${NAMES}.`,
    aliases: ['fd.sip.name'],
    kinds: peerKinds,
    get: (event) => namesOf(event, 'destination'),
  },
  {
    name: 'network.direction',
    type: 'string',
    doc: 'egress: this host connected or sent; ingress: the peer connected or sent.',
    constants: { connect: 'egress', accept: 'ingress' },
    oneOf: ['egress', 'ingress'],
    kinds: twoEnds,
    get: directionOf,
  },
  {
    name: 'network.transport',
    type: 'string',
    doc: 'tcp or udp.',
    aliases: ['fd.l4proto'],
    kinds,
    oneOf: Object.values(TRANSPORTS),
    get: transportOf,
  },
  {
    name: 'network.type',
    type: 'string',
    doc: 'ipv4, ipv6 or unix; on socket events also packet, netlink, vsock, alg.',
    kinds,
    oneOf: Object.values(TYPES),
    get: (event) => TYPES[familyOf(event)],
  },
  {
    name: 'network.unix.path',
    type: 'string',
    doc: 'Path of the unix socket; an abstract path starts with NUL.',
    kinds: ['connect', 'socket', 'datagram'],
    get: (event) => (familyOf(event) === AF_UNIX ? nonEmpty(unixPaths[event.cursor.kind]?.(event)) : undefined),
  },
];
