import type { BpfProgram } from '@ringfence/libbpf-ts';
import { addressText, decodeText, IPPROTO, records, SOCK } from '@ringfence/wire';
import type { End, OpenSocket } from './types.ts';

const { AddressFamily: AF } = records;
const FAMILIES: Readonly<Record<number, string>> = {
  [AF.AF_UNIX]: 'unix',
  [AF.AF_INET]: 'inet',
  [AF.AF_INET6]: 'inet6',
  [AF.AF_NETLINK]: 'netlink',
  [AF.AF_PACKET]: 'packet',
  [AF.AF_BLUETOOTH]: 'bluetooth',
  [AF.AF_ALG]: 'alg',
  [AF.AF_VSOCK]: 'vsock',
  [AF.AF_XDP]: 'xdp',
};
const TYPES: Readonly<Record<number, string>> = {
  [SOCK.STREAM]: 'stream',
  [SOCK.DGRAM]: 'dgram',
  [SOCK.RAW]: 'raw',
  [SOCK.RDM]: 'rdm',
  [SOCK.SEQPACKET]: 'seqpacket',
  [SOCK.PACKET]: 'packet',
};
const PROTOCOLS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(IPPROTO).map(([name, number]) => [number, name.toLowerCase()]),
);
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
  const isInternet = family === AF.AF_INET || family === AF.AF_INET6;
  const end = (offset: number, port: number): End | null =>
    isInternet ? { address: addressText(bytes, at + offset, family === AF.AF_INET ? 4 : 16) ?? '', port } : null;
  const local = end(records.OPEN_SOCKET_LOCAL_ADDRESS, records.openSocketLocalPort(view, at));
  const peer = end(records.OPEN_SOCKET_ADDRESS, records.openSocketPort(view, at));
  const hasStates =
    (isInternet && (protocol === IPPROTO.TCP || protocol === IPPROTO.MPTCP)) ||
    (family === AF.AF_UNIX && type !== SOCK.DGRAM);
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
