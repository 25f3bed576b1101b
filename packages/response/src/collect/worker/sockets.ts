import { closeSync, openSync } from 'node:fs';
import { addressText } from '@ringfence/wire';
import { pathText } from '../path-text.ts';
import { forEachLine } from './lines.ts';
import { alive } from './report.ts';
import { attempt, targetPath } from './target.ts';

/** Files of /proc/PID/net, and the column of the socket's inode in each */
const TABLES: Readonly<Record<string, number>> = {
  ...{ tcp: 9, tcp6: 9, udp: 9, udp6: 9, udplite: 9, udplite6: 9, raw: 9, raw6: 9, icmp: 9, icmp6: 9 },
  ...{ unix: 6, packet: 8, netlink: 9 },
};
const STATES: Readonly<Record<string, string>> = {
  ...{ '01': 'ESTABLISHED', '02': 'SYN_SENT', '03': 'SYN_RECV', '04': 'FIN_WAIT1', '05': 'FIN_WAIT2' },
  ...{ '06': 'TIME_WAIT', '07': 'CLOSE', '08': 'CLOSE_WAIT', '09': 'LAST_ACK', '0A': 'LISTEN', '0B': 'CLOSING' },
};

interface Socket {
  readonly inode: string;
  readonly table: string;
  /** `address:port`; empty for sockets without */
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  /** The line of the table */
  readonly line: string;
}

/** Returns the sockets among the targets of descriptors, as the tables of the process's network namespace have them. */
export function socketsOf(targets: readonly string[]): Socket[] {
  const wanted = new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  const found: Socket[] = [];
  for (const [table, column] of Object.entries(TABLES)) {
    if (wanted.size === 0) break;
    attempt(`net/${table}`, () => {
      const fd = openSync(targetPath(`net/${table}`), 'r');
      try {
        forEachLine(fd, 0, (line) => {
          alive(`net/${table}`);
          const cells = line.toString('latin1').trim().split(/\s+/);
          const inode = cells[column] ?? '';
          if (wanted.delete(inode)) found.push(socketOf(inode, table, cells, line));
          return wanted.size > 0;
        });
      } finally {
        closeSync(fd);
      }
    });
  }
  // Sockets of other kinds, such as vsock, have no table.
  for (const inode of wanted) found.push({ inode, table: '', local: '', remote: '', state: '', line: '' });
  return found;
}

function socketOf(inode: string, table: string, cells: readonly string[], line: Buffer): Socket {
  const isInternet = TABLES[table] === 9 && table !== 'netlink';
  const [local = '', remote = '', state = ''] = isInternet ? cells.slice(1, 4) : [];
  return {
    ...{ inode, table, local: endpoint(local), remote: endpoint(remote), state: STATES[state] ?? state },
    line: pathText(line),
  };
}

/** Decodes `0100007F:1F90`: words in the order of the host's bytes, the port as a number. */
export function endpoint(text: string): string {
  const [address = '', port = ''] = text.split(':');
  const bytes = Buffer.from(address, 'hex');
  if (bytes.length !== 4 && bytes.length !== 16) return '';
  const host = addressText(bytes.swap32()) ?? '';
  return `${bytes.length === 16 ? `[${host}]` : host}:${Number.parseInt(port, 16)}`;
}
