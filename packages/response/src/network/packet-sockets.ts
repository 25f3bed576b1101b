import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ifReadable } from '@ringfence/host-kit';
import type { FoundProcess } from '../processes/protected.ts';

const LISTED_MAX = 20;

/** Returns a line for each process that has a packet socket (packet(7)), which passes every rule of the network. */
export function packetSocketHolders(processes: readonly FoundProcess[]): string[] {
  const tables = new Map<string, ReadonlySet<string>>();
  const holders = processes.filter(({ tgid }) => {
    const namespace = ifReadable(() => readlinkSync(`/proc/${tgid}/ns/net`));
    if (namespace === null) return false;
    const inodes = tables.get(namespace) ?? packetInodes(tgid);
    tables.set(namespace, inodes);
    return inodes.size > 0 && hasOneOf(tgid, inodes);
  });
  const lines = holders
    .slice(0, LISTED_MAX)
    .map(({ tgid, executable }) => `${tgid} ${executable}: its packet socket passes; kill or suspend it`);
  return holders.length > lines.length ? [...lines, `and ${holders.length - lines.length} more`] : lines;
}

/** The inode is the last column of /proc/net/packet. */
function packetInodes(pid: number): ReadonlySet<string> {
  const text = ifReadable(() => readFileSync(`/proc/${pid}/net/packet`, 'latin1')) ?? '';
  return new Set(
    text
      .split('\n')
      .slice(1)
      .flatMap((line) => line.trim().split(/\s+/).at(-1) || []),
  );
}

function hasOneOf(pid: number, inodes: ReadonlySet<string>): boolean {
  const directory = `/proc/${pid}/fd`;
  return (ifReadable(() => readdirSync(directory)) ?? []).some((name) => {
    const target = ifReadable(() => readlinkSync(`${directory}/${name}`)) ?? '';
    return target.startsWith('socket:[') && inodes.has(target.slice(8, -1));
  });
}
