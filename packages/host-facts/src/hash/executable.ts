import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { ifReadable, kernelDevice, O_PATH, openBeneath, readBounded } from '@ringfence/host-kit';
import type { HashRequest, Skipped } from './types.ts';

/** A file that is sure to be the one that was executed. */
export interface Executable {
  readonly fd: number;
  readonly stat: BigIntStats;
  /** the inode has been renamed, unlinked or the like since, which changes its ctime; the process still runs from it, so nobody may write to it */
  readonly touched: boolean;
}

/** Where somebody else answers: it could keep us waiting for ever, or show us what it likes. */
const REMOTE = /^(?:fuse|nfs|cifs|smb|9p$|ceph|afs|coda|lustre|gfs2|ocfs2)/;
const MOUNTS_MAX = 4 << 20;

/** What was executed: from the process itself, else, as every script, by its path through a process with the same mounts. */
export function openExecutable(request: HashRequest): Executable | Skipped {
  const own = ifReadable(() => openSync(`/proc/${request.pid}/exe`, O_PATH));
  try {
    const homes = homesOf(request);
    const mounts = new Mounts(homes[0]);
    const filesystem = mounts.filesystemOf(request.device);
    if (filesystem !== undefined && REMOTE.test(filesystem)) return 'remote';
    if (filesystem === undefined && !request.memory) return 'gone';
    let verdict = own === null ? 'gone' : judge(own, request, mounts, true);
    for (const home of homes) if (typeof verdict === 'string') verdict = tryPath(home, request, mounts, verdict);
    return verdict;
  } finally {
    if (own !== null) closeSync(own);
  }
}

/** Whether the process still runs from that file. */
export function runsFrom({ pid }: HashRequest, { stat }: Executable): boolean {
  const own = ifReadable(() => openSync(`/proc/${pid}/exe`, O_PATH));
  if (own === null) return false;
  try {
    const { dev, ino } = fstatSync(own, { bigint: true });
    return dev === stat.dev && ino === stat.ino;
  } finally {
    closeSync(own);
  }
}

/** Processes whose mounts are those that the executable was found in. */
function homesOf({ pid, parentPid, mountNamespace }: HashRequest): readonly string[] {
  const link = `mnt:[${mountNamespace}]`;
  const all = [...new Set([String(pid), String(parentPid), '1', 'self'])];
  return all.filter((home) => ifReadable(() => readlinkSync(`/proc/${home}/ns/mnt`)) === link);
}

function tryPath(home: string, request: HashRequest, mounts: Mounts, before: Skipped): Executable | Skipped {
  const root = ifReadable(() => openSync(`/proc/${home}/root`, O_PATH | constants.O_DIRECTORY));
  if (root === null) return before;
  try {
    const fd = openBeneath(root, request.path, O_PATH);
    if (fd === null) return before;
    try {
      const verdict = judge(fd, request, mounts, false);
      return verdict === 'gone' ? before : verdict;
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(root);
  }
}

/** `named` is opened by name only; what is returned may be read. */
function judge(named: number, request: HashRequest, mounts: Mounts, running: boolean): Executable | Skipped {
  const stat = fstatSync(named, { bigint: true });
  if (!stat.isFile() || stat.ino !== request.inode) return 'gone';
  if (kernelDevice(stat.dev) !== request.device && mounts.deviceOf(named) !== request.device) return 'gone';
  const touched = stat.ctimeNs !== request.ctime;
  if (touched && !(running && stat.mtimeNs === request.mtime)) return 'changed';
  const fd = ifReadable(() => openSync(`/proc/self/fd/${named}`, constants.O_RDONLY | constants.O_NONBLOCK));
  return fd === null ? 'unreadable' : { fd, stat, touched };
}

/** The mounts that a process sees. */
class Mounts {
  readonly #lines: readonly string[];

  constructor(home: string | undefined) {
    const text = home === undefined ? null : ifReadable(() => readBounded(`/proc/${home}/mountinfo`, MOUNTS_MAX));
    this.#lines = text?.toString('latin1').split('\n') ?? [];
  }

  /** `36 35 98:0 / /mnt rw - ext3 …`; `device`: kernel dev_t. */
  filesystemOf(device: number): string | undefined {
    const place = ` ${device >>> 20}:${device & 0xfffff} `;
    const line = this.#lines.find((one) => one.includes(place));
    return line?.split(' - ', 2)[1]?.split(' ', 1)[0];
  }

  /** Of the mount that `fd` is on: of btrfs and overlays stat(2) tells another device than the kernel knows. */
  deviceOf(fd: number): number | undefined {
    const info = ifReadable(() => readBounded(`/proc/self/fdinfo/${fd}`, 65_536))?.toString('latin1') ?? '';
    const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
    const numbers = this.#lines.find((one) => one.startsWith(`${id} `))?.split(' ', 3)[2];
    const [major = '', minor = ''] = numbers?.split(':') ?? [];
    return numbers === undefined ? undefined : Number(major) * 2 ** 20 + Number(minor);
  }
}
