import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ifReadable, O_PATH, readBounded, statCached } from '@ringfence/host-kit';
import { escapeText } from '@ringfence/wire';

/** Descriptors that are looked at, of all processes together. */
const LOOKS_MAX = 200_000;
const LOOKS_PER_TURN = 2000;
const COMM_MAX = 64;

export interface Holder {
  readonly pid: number;
  readonly name: string;
  /** `open`: by a descriptor; `running`: it executes the file */
  readonly how: 'open' | 'running';
}

export interface Holders {
  readonly found: readonly Holder[];
  /** Not all descriptors were looked at. */
  readonly cut: boolean;
}

/** Finds the processes that have a file open or run from it, without asking any file system. */
export async function holdersOf(fd: number): Promise<Holders> {
  const inode = inodeOf(fd);
  const found: Holder[] = [];
  let looks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const descriptors = ifReadable(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    looks += descriptors.length + 1;
    if (looks > LOOKS_MAX) return { found, cut: true };
    if (isAt(`/proc/${pid}/exe`, inode)) found.push(holder(pid, 'running'));
    else if (descriptors.some((name) => isAt(`/proc/${pid}/fd/${name}`, inode))) found.push(holder(pid, 'open'));
    if (looks % LOOKS_PER_TURN < descriptors.length) await nextTurn();
  }
  return { found, cut: false };
}

function holder(pid: string, how: Holder['how']): Holder {
  const name =
    ifReadable(() => readBounded(`/proc/${pid}/comm`, COMM_MAX))
      ?.toString('utf8')
      .trimEnd() ?? '';
  return { pid: Number(pid), name: escapeText(name), how };
}

function isAt(link: string, inode: string): boolean {
  // Sockets, pipes and the like read as `socket:[123]`.
  if (!ifReadable(() => readlinkSync(link))?.startsWith('/')) return false;
  const fd = ifReadable(() => openSync(link, O_PATH));
  if (fd === null) return false;
  try {
    return inodeOf(fd) === inode;
  } finally {
    closeSync(fd);
  }
}

/** Device and inode of `statCached`'s stamp, which ends with the ctime. */
const inodeOf = (fd: number): string => statCached(fd).stamp.replace(/\/[^/]*$/, '');
