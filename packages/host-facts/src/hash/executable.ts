import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { ifReadable, isRemoteFilesystem, kernelDevice, O_PATH, openBeneath, readBounded } from '@ringfence/host-kit';
import type { HashRequest, SkipReason } from './types.ts';

/** An open file that is certain to be the one that was executed. */
export interface Executable {
  readonly fd: number;
  readonly stat: BigIntStats;
  /**
   * The file's ctime has changed since the exec, because it was renamed, unlinked or the like. Its content is the same:
   * the process still runs from it, so no process can write to it.
   */
  readonly touched: boolean;
}

const MOUNTS_MAX = 4 << 20;

/**
 * Opens the file that was executed: through the process itself, or else by its path in a process with the same mounts.
 * A script can only be found by its path.
 */
export function openExecutable(request: HashRequest): Executable | SkipReason {
  const exe = ifReadable(() => openSync(`/proc/${request.pid}/exe`, O_PATH));
  try {
    const candidates = processesWithSameMounts(request);
    const mounts = new Mounts(candidates[0]);
    const filesystem = mounts.filesystemOf(request.device);
    if (filesystem !== undefined && isRemoteFilesystem(filesystem)) return 'remote';
    if (filesystem === undefined && !request.memory) return 'gone';
    let result = exe === null ? 'gone' : openIfSame(exe, request, mounts, true);
    for (const pid of candidates) if (typeof result === 'string') result = tryPath(pid, request, mounts, result);
    return result;
  } finally {
    if (exe !== null) closeSync(exe);
  }
}

/** Whether the process still runs from the file. */
export function runsFrom({ pid }: HashRequest, { stat }: Executable): boolean {
  const exe = ifReadable(() => openSync(`/proc/${pid}/exe`, O_PATH));
  if (exe === null) return false;
  try {
    const { dev, ino } = fstatSync(exe, { bigint: true });
    return dev === stat.dev && ino === stat.ino;
  } finally {
    closeSync(exe);
  }
}

/** Returns names in /proc of processes in the mount namespace of the exec. */
function processesWithSameMounts({ pid, parentPid, mountNamespace }: HashRequest): readonly string[] {
  const link = `mnt:[${mountNamespace}]`;
  const candidates = [...new Set([String(pid), String(parentPid), '1', 'self'])];
  return candidates.filter((name) => ifReadable(() => readlinkSync(`/proc/${name}/ns/mnt`)) === link);
}

/** Opens the path from the root of a process. Returns `previous` if there is no such file. */
function tryPath(pid: string, request: HashRequest, mounts: Mounts, previous: SkipReason): Executable | SkipReason {
  const root = ifReadable(() => openSync(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY));
  if (root === null) return previous;
  try {
    if (!mounts.isLocal(root)) return previous;
    const fd = openBeneath(root, request.path, (mount) => mounts.isLocal(mount));
    if (fd === null) return previous;
    try {
      const result = openIfSame(fd, request, mounts, false);
      return result === 'gone' ? previous : result;
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(root);
  }
}

/** Opens a file for reading if it is the executed one. `pathFd` was opened with O_PATH. */
function openIfSame(pathFd: number, request: HashRequest, mounts: Mounts, isRunning: boolean): Executable | SkipReason {
  const stat = fstatSync(pathFd, { bigint: true });
  if (!stat.isFile() || stat.ino !== request.inode) return 'gone';
  if (kernelDevice(stat.dev) !== request.device && mounts.deviceOf(pathFd) !== request.device) return 'gone';
  const touched = stat.ctimeNs !== request.ctime;
  if (touched && !(isRunning && stat.mtimeNs === request.mtime)) return 'changed';
  const fd = ifReadable(() => openSync(`/proc/self/fd/${pathFd}`, constants.O_RDONLY | constants.O_NONBLOCK));
  return fd === null ? 'unreadable' : { fd, stat, touched };
}

/** The mounts of a process. */
class Mounts {
  readonly #lines: readonly string[];

  constructor(pid: string | undefined) {
    const text = pid === undefined ? null : ifReadable(() => readBounded(`/proc/${pid}/mountinfo`, MOUNTS_MAX));
    this.#lines = text?.toString('latin1').split('\n') ?? [];
  }

  /** Finds `36 35 98:0 / /mnt rw - ext3 …` by its device (kernel dev_t) and returns `ext3`. */
  filesystemOf(device: number): string | undefined {
    const numbers = ` ${device >>> 20}:${device & 0xfffff} `;
    const line = this.#lines.find((candidate) => candidate.includes(numbers));
    return line?.split(' - ', 2)[1]?.split(' ', 1)[0];
  }

  /** Whether `fd` is on a known mount of a local file system. Asks the kernel only, never the file system. */
  isLocal(fd: number): boolean {
    const filesystem = this.#lineOf(fd)?.split(' - ', 2)[1]?.split(' ', 1)[0];
    return filesystem !== undefined && !isRemoteFilesystem(filesystem);
  }

  /**
   * Returns the device of the mount of `fd`. For btrfs and overlays, stat(2) returns another device than the kernel's.
   */
  deviceOf(fd: number): number | undefined {
    const numbers = this.#lineOf(fd)?.split(' ', 3)[2];
    const [major = '', minor = ''] = numbers?.split(':') ?? [];
    return numbers === undefined ? undefined : Number(major) * 2 ** 20 + Number(minor);
  }

  #lineOf(fd: number): string | undefined {
    const info = ifReadable(() => readBounded(`/proc/self/fdinfo/${fd}`, 65_536))?.toString('latin1') ?? '';
    const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
    return this.#lines.find((line) => line.startsWith(`${id} `));
  }
}
