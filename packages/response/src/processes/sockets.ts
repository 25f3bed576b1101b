import { readdirSync, readlinkSync } from 'node:fs';
import { ifReadable } from '@ringfence/host-kit';
import { TCP_ESTABLISHED, TCP_LISTEN, type TcpRow, tcpRows } from '../network/tcp-rows.ts';

/** What the network loses with some processes. */
export interface Sockets {
  /** established TCP connections */
  readonly connections: number;
  /** TCP ports that they listen on */
  readonly listeningPorts: number;
  /** distinct remote addresses of the connections to those ports */
  readonly peers: number;
}

const PROCESSES_MAX = 1000;

/**
 * Counts the TCP sockets of processes, as far as they can be read, for the first 1,000 of them. A socket that several
 * of them share counts once. `selects`: which sockets count.
 */
export function socketsOf(pids: readonly number[], selects: (row: TcpRow) => boolean = () => true): Sockets {
  const read = pids.slice(0, PROCESSES_MAX);
  const inodes = new Set(read.flatMap(socketInodes));
  if (inodes.size === 0) return summarize([]);
  return summarize(tcpRows(read).filter((row) => inodes.has(row.inode) && selects(row)));
}

export function summarize(rows: readonly TcpRow[]): Sockets {
  const ports = new Set(rows.filter(({ state }) => state === TCP_LISTEN).map(({ localPort }) => localPort));
  const established = rows.filter(({ state }) => state === TCP_ESTABLISHED);
  const peers = new Set(
    established
      .filter(({ localPort }) => ports.has(localPort))
      .map(({ remote }) => Buffer.from(remote).toString('latin1')),
  );
  return { connections: established.length, listeningPorts: ports.size, peers: peers.size };
}

/** The sockets of a process by their inode numbers, which are unique on the host. */
function socketInodes(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  const names = ifReadable(() => readdirSync(directory)) ?? [];
  return names.flatMap((name) => {
    const target = ifReadable(() => readlinkSync(`${directory}/${name}`)) ?? '';
    return target.startsWith('socket:[') ? [target.slice(8, -1)] : [];
  });
}
