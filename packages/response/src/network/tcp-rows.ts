import { readlinkSync } from 'node:fs';
import { ifReadable, readBounded } from '@ringfence/host-kit';

/** A TCP socket with both ends: proc_net_tcp(5). */
export interface TcpRow {
  readonly inode: string;
  /** such as TCP_LISTEN */
  readonly state: string;
  /** 16 bytes; IPv4 is mapped */
  readonly remote: Uint8Array;
  readonly remotePort: number;
  readonly localPort: number;
}

/** Values of `state`: include/net/tcp_states.h */
export const TCP_ESTABLISHED = '01';
export const TCP_LISTEN = '0A';

const TABLE_BYTES_MAX = 64 << 20;

/** The TCP sockets of the network namespaces of some processes. A namespace that can't be read is left out. */
export function tcpRows(pids: Iterable<number>): TcpRow[] {
  const seen = new Set<string>();
  const rows: TcpRow[] = [];
  for (const pid of pids) {
    const namespace = ifReadable(() => readlinkSync(`/proc/${pid}/ns/net`));
    if (namespace === null || seen.has(namespace)) continue;
    seen.add(namespace);
    for (const file of ['tcp', 'tcp6']) {
      const text = ifReadable(() => readBounded(`/proc/${pid}/net/${file}`, TABLE_BYTES_MAX))?.toString('latin1') ?? '';
      for (const line of text.split('\n').slice(1)) rows.push(...parseRow(line));
    }
  }
  return rows;
}

function parseRow(line: string): TcpRow[] {
  const [, local = '', remote = '', state, , , , , , inode] = line.trim().split(/\s+/);
  if (state === undefined || inode === undefined) return [];
  return [{ inode, state, remote: bytesOf(remote), remotePort: portOf(remote), localPort: portOf(local) }];
}

const portOf = (end: string): number => parseInt(end.slice(end.indexOf(':') + 1), 16);

/** Addresses are words of 32 bits in the machine's order, which is little endian on both architectures. */
function bytesOf(end: string): Uint8Array {
  const hex = end.slice(0, end.indexOf(':'));
  const words = Buffer.from(hex, 'hex').swap32();
  if (words.length === 16) return words;
  return Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), words]);
}
