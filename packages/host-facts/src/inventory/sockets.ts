import type { BpfProgram } from '@ringfence/libbpf-ts';
import { addressText, decodeText, records } from '@ringfence/wire';
import type { End, OpenSocket } from './types.ts';

const AF = { unix: 1, inet: 2, inet6: 10 } as const;
const FAMILIES: Readonly<Record<number, string>> = {
  1: 'unix',
  2: 'inet',
  10: 'inet6',
  16: 'netlink',
  17: 'packet',
  31: 'bluetooth',
  38: 'alg',
  40: 'vsock',
  44: 'xdp',
};
const TYPES: Readonly<Record<number, string>> = {
  1: 'stream',
  2: 'dgram',
  3: 'raw',
  4: 'rdm',
  5: 'seqpacket',
  10: 'packet',
};
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmpv6',
  132: 'sctp',
  136: 'udplite',
  255: 'raw',
  262: 'mptcp',
};
/** States of TCP, which unix sockets use too. */
const STATES: Readonly<Record<number, string>> = {
  1: 'established',
  2: 'syn-sent',
  3: 'syn-recv',
  4: 'fin-wait-1',
  5: 'fin-wait-2',
  6: 'time-wait',
  7: 'closed',
  8: 'close-wait',
  9: 'last-ack',
  10: 'listen',
  11: 'closing',
};

/** Open sockets by process; the key is `tgid/start`. */
export type SocketsByProcess = ReadonlyMap<string, readonly OpenSocket[]>;

export const processKey = (tgid: number, start: bigint): string => `${tgid}/${start}`;

export function readSockets(program: BpfProgram): SocketsByProcess {
  using link = program.attachIterator();
  using iterator = link.iterate();
  return parseSockets(iterator.readAll());
}

export function parseSockets(stream: Uint8Array): SocketsByProcess {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = new Map<string, OpenSocket[]>();
  for (let at = 0; at + records.SIZEOF_OPEN_SOCKET <= bytes.length; at += records.SIZEOF_OPEN_SOCKET) {
    const start = bytes.readBigUInt64LE(at + records.OPEN_SOCKET_START);
    const key = processKey(records.openSocketTgid(view, at), start);
    const sockets = found.get(key) ?? [];
    found.set(key, sockets);
    sockets.push(socketAt(view, bytes, at));
  }
  return found;
}

function socketAt(view: DataView, bytes: Buffer, at: number): OpenSocket {
  const family = records.openSocketFamily(view, at);
  const type = records.openSocketType(view, at);
  const protocol = records.openSocketProtocol(view, at);
  const isInternet = family === AF.inet || family === AF.inet6;
  const end = (offset: number, port: number): End | null =>
    isInternet ? { address: addressText(bytes, at + offset, family === AF.inet ? 4 : 16) ?? '', port } : null;
  const local = end(records.OPEN_SOCKET_LOCAL_ADDRESS, records.openSocketLocalPort(view, at));
  const peer = end(records.OPEN_SOCKET_ADDRESS, records.openSocketPort(view, at));
  const hasStates = (isInternet && (protocol === 6 || protocol === 262)) || (family === AF.unix && type !== 2);
  return {
    fd: records.openSocketFd(view, at),
    inode: Number(bytes.readBigUInt64LE(at + records.OPEN_SOCKET_INODE)),
    family: FAMILIES[family] ?? String(family),
    type: TYPES[type] ?? String(type),
    protocol: isInternet ? (PROTOCOLS[protocol] ?? String(protocol)) : protocol === 0 ? '' : String(protocol),
    state: hasStates ? (STATES[records.openSocketState(view, at)] ?? '') : '',
    local,
    peer: peer?.port === 0 && /^(?:0\.0\.0\.0|::)$/.test(peer.address) ? null : peer,
    path: pathAt(view, bytes, at),
  };
}

/** A path ends at its first NUL. An abstract name begins with a NUL, and further ones are part of it. */
function pathAt(view: DataView, bytes: Buffer, at: number): string {
  const start = at + records.OPEN_SOCKET_PATH;
  const length = Math.min(records.openSocketPathBytes(view, at), records.OPEN_SOCKET_PATH_LENGTH);
  const path = bytes.subarray(start, start + length);
  if (path[0] === 0) return `@${decodeText(path, 1)}`;
  const end = path.indexOf(0);
  return decodeText(path, 0, end < 0 ? path.length : end);
}
