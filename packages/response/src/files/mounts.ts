import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { ifReadable, isRemoteFilesystem, mountOf, O_PATH, openBeneathOrThrow, readBounded } from '@ringfence/host-kit';
import { ActionRefusedError } from '../errors.ts';

const MOUNTS_MAX = 16 << 20;

interface Mount {
  readonly id: string;
  /** In the kernel's encoding: major << 20 | minor */
  readonly device: number;
  readonly filesystem: string;
}

/** The files that a process sees: its root and its mounts. */
export class FileTree implements Disposable {
  readonly root: number;
  /** As /proc shows it: `mnt:[4026531841]` */
  readonly namespace: string;
  readonly #mounts: ReadonlyMap<string, Mount>;

  private constructor(root: number, namespace: string, mounts: ReadonlyMap<string, Mount>) {
    this.root = root;
    this.namespace = namespace;
    this.#mounts = mounts;
  }

  /** @param process its pid, or `self`. Throws ActionRefusedError if it has ended, or may not be inspected. */
  static open(process: string): FileTree {
    const root = ifReadable(() => openSync(`/proc/${process}/root`, O_PATH | constants.O_DIRECTORY));
    if (root === null) throw new ActionRefusedError('not-verifiable', `the files of process ${process} can't be read`);
    try {
      const namespace = ifReadable(() => readlinkSync(`/proc/${process}/ns/mnt`)) ?? '';
      const tree = new FileTree(root, namespace, readMounts(process));
      if (tree.isLocal(root)) return tree;
      throw new ActionRefusedError('not-possible', `the root of process ${process} is on no local file system`);
    } catch (error) {
      closeSync(root);
      throw error;
    }
  }

  /** Opens a path without following links. Throws SystemCallError (EREMOTE: a file system that may never answer). */
  lookUp(path: Uint8Array): number {
    return openBeneathOrThrow(this.root, path, (fd) => this.isLocal(fd));
  }

  isLocal(fd: number): boolean {
    const mount = this.#mountOf(fd);
    return mount !== undefined && !isRemoteFilesystem(mount.filesystem);
  }

  /** Returns the device of the mount of `fd`: of btrfs and overlays, stat(2) returns another one. */
  deviceOf(fd: number): number | undefined {
    return this.#mountOf(fd)?.device;
  }

  #mountOf(fd: number): Mount | undefined {
    return this.#mounts.get(String(mountOf(fd)));
  }

  [Symbol.dispose](): void {
    closeSync(this.root);
  }
}

/** Parses lines like `36 35 98:0 / /mnt rw - ext3 /dev/root rw`. */
function readMounts(process: string): ReadonlyMap<string, Mount> {
  const text = ifReadable(() => readBounded(`/proc/${process}/mountinfo`, MOUNTS_MAX))?.toString('latin1') ?? '';
  const mounts = text.split('\n').flatMap((line): [string, Mount][] => {
    const [, id, major, minor] = /^(\d+) \d+ (\d+):(\d+) /.exec(line) ?? [];
    const filesystem = line.split(' - ', 2)[1]?.split(' ', 1)[0];
    if (id === undefined || filesystem === undefined) return [];
    return [[id, { id, device: ((Number(major) << 20) | Number(minor)) >>> 0, filesystem }]];
  });
  return new Map(mounts);
}
