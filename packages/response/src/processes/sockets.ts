import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ifReadable } from '@ringfence/host-kit';

/** What the network loses with some processes. */
export interface Sockets {
  /** established TCP connections */
  readonly connections: number;
  /** TCP ports that they listen on */
  readonly listeningPorts: number;
  /** distinct remote addresses of the connections to those ports */
  readonly peers: number;
}

const LISTEN = '0A';
const ESTABLISHED = '01';
const PROCESSES_MAX = 1000;

interface Row {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
}

/**
 * Counts the TCP sockets of processes, as far as they can be read, for the first 1,000 of them. A socket that several
 * of them share counts once.
 */
export function socketsOf(pids: readonly number[]): Sockets {
  const rows = new Map<string, Row>();
  const tables = new Map<string, ReadonlyMap<string, Row>>();
  for (const pid of pids.slice(0, PROCESSES_MAX)) {
    const inodes = socketInodes(pid);
    if (inodes.length === 0) continue;
    const namespace = ifReadable(() => readlinkSync(`/proc/${pid}/ns/net`)) ?? '';
    const table = tables.get(namespace) ?? readTables(pid);
    tables.set(namespace, table);
    for (const inode of inodes) {
      const row = table.get(inode);
      if (row !== undefined) rows.set(`${namespace} ${inode}`, row);
    }
  }
  return summarize([...rows.values()]);
}

function summarize(rows: readonly Row[]): Sockets {
  const ports = new Set(rows.filter(({ state }) => state === LISTEN).map(({ local }) => portOf(local)));
  const established = rows.filter(({ state }) => state === ESTABLISHED);
  const peers = new Set(
    established.filter(({ local }) => ports.has(portOf(local))).map(({ remote }) => hostOf(remote)),
  );
  return { connections: established.length, listeningPorts: ports.size, peers: peers.size };
}

const portOf = (address: string): string => address.slice(address.indexOf(':') + 1);
const hostOf = (address: string): string => address.slice(0, address.indexOf(':'));

function socketInodes(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  const names = ifReadable(() => readdirSync(directory)) ?? [];
  return names.flatMap((name) => {
    const target = ifReadable(() => readlinkSync(`${directory}/${name}`)) ?? '';
    return target.startsWith('socket:[') ? [target.slice(8, -1)] : [];
  });
}

/** The TCP sockets of the process's network namespace by inode: proc_net_tcp(5). */
function readTables(pid: number): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const file of ['tcp', 'tcp6']) {
    const text = ifReadable(() => readFileSync(`/proc/${pid}/net/${file}`, 'latin1')) ?? '';
    for (const line of text.split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (local !== undefined && remote !== undefined && state !== undefined && inode !== undefined)
        rows.set(inode, { local, remote, state });
    }
  }
  return rows;
}
