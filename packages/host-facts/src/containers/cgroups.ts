import { closeSync, existsSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ifExists, openKernfsNode, readBounded } from '@ringfence/host-kit';

const WALK_MAX = 20_000;

/** The cgroup v2 hierarchy: finds the path of a cgroup by its id. */
export class Cgroups implements Disposable {
  /** mount point; null if it is not mounted */
  readonly mount: string | null;
  readonly #fd: number;
  /** false once the kernel refused to open a cgroup by its id; then the tree is walked */
  #byHandle = true;

  constructor(mounts = '/proc/mounts') {
    this.mount = findMount(readBounded(mounts, 8 << 20)?.toString('latin1') ?? '');
    this.#fd = this.mount === null ? -1 : openSync(this.mount, 'r');
  }

  /** Returns the path from the root of the hierarchy, which is `/` itself. Returns null if there is no such cgroup. */
  pathOf(id: bigint): string | null {
    if (this.mount === null) return null;
    return this.#byHandle ? this.#pathByHandle(id) : this.#walk(this.mount, id);
  }

  #pathByHandle(id: bigint): string | null {
    const fd = openKernfsNode(this.#fd, id);
    if (fd === null) {
      this.#byHandle = this.#canOpenRoot();
      return this.#byHandle ? null : this.pathOf(id);
    }
    try {
      return this.#relative(readlinkSync(`/proc/self/fd/${fd}`));
    } finally {
      closeSync(fd);
    }
  }

  /** Checks whether the root, which always exists, can be opened by its id. */
  #canOpenRoot(): boolean {
    const fd = openKernfsNode(this.#fd, statSync(this.mount as string, { bigint: true }).ino);
    if (fd === null) return false;
    closeSync(fd);
    return true;
  }

  #relative(path: string): string | null {
    const mount = this.mount as string;
    if (path === mount) return '/';
    return path.startsWith(`${mount}/`) && !path.endsWith(' (deleted)') ? path.slice(mount.length) : null;
  }

  #walk(root: string, id: bigint): string | null {
    const queue = [root];
    for (let i = 0; i < queue.length && i < WALK_MAX; i++) {
      const directory = queue[i] as string;
      if (inodeOf(directory) === id) return this.#relative(directory);
      for (const entry of ifExists(() => readdirSync(directory, { withFileTypes: true })) ?? []) {
        if (entry.isDirectory()) queue.push(`${directory}/${entry.name}`);
      }
    }
    return null;
  }

  /** Whether the cgroup at this path still has this id. */
  exists(path: string, id: bigint): boolean {
    return this.mount !== null && inodeOf(this.mount + path) === id;
  }

  /** Whether a user other than root could have made a cgroup: its parent, or what is left above it, is not root's. */
  isOfUser(path: string): boolean {
    let parent = dirname(path);
    while (parent !== '/' && !existsSync(this.mount + parent)) parent = dirname(parent);
    return (ifExists(() => statSync(this.mount + parent).uid) ?? 0) !== 0;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
  }
}

const inodeOf = (path: string): bigint | null => ifExists(() => statSync(path, { bigint: true }).ino);

/** Returns the first cgroup2 mount: on a hybrid host it is /sys/fs/cgroup/unified. */
function findMount(mounts: string): string | null {
  const line = mounts.split('\n').find((text) => text.split(' ')[2] === 'cgroup2');
  return line?.split(' ')[1] ?? null;
}
