import { closeSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { ifExists, openKernfsNode, readBounded } from '@ringfence/host-kit';

const WALK_MAX = 20_000;

/** The cgroup v2 hierarchy: which path an id has. */
export class Cgroups implements Disposable {
  /** where it is mounted; null: nowhere */
  readonly mount: string | null;
  readonly #fd: number;
  /** false once the kernel has refused to open by id: then the tree is walked */
  #byHandle = true;

  constructor(mounts = '/proc/mounts') {
    this.mount = findMount(readBounded(mounts, 8 << 20)?.toString('latin1') ?? '');
    this.#fd = this.mount === null ? -1 : openSync(this.mount, 'r');
  }

  /** From the hierarchy's root, `/` itself included; null when there is no such cgroup (any more). */
  pathOf(id: bigint): string | null {
    if (this.mount === null) return null;
    return this.#byHandle ? this.#open(id) : this.#walk(this.mount, id);
  }

  #open(id: bigint): string | null {
    const fd = openKernfsNode(this.#fd, id);
    if (fd === null) {
      this.#byHandle = this.#works();
      return this.#byHandle ? null : this.pathOf(id);
    }
    try {
      return this.#relative(readlinkSync(`/proc/self/fd/${fd}`));
    } finally {
      closeSync(fd);
    }
  }

  /** Can the root, which always exists, be opened by its id? */
  #works(): boolean {
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
      if (this.inode(directory) === id) return this.#relative(directory);
      for (const entry of ifExists(() => readdirSync(directory, { withFileTypes: true })) ?? []) {
        if (entry.isDirectory()) queue.push(`${directory}/${entry.name}`);
      }
    }
    return null;
  }

  /** Whether the cgroup at this path still is the one with this id. */
  exists(path: string, id: bigint): boolean {
    return this.mount !== null && this.inode(this.mount + path) === id;
  }

  private inode(path: string): bigint | null {
    return ifExists(() => statSync(path, { bigint: true }).ino);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd);
  }
}

/** The first cgroup2 mount: on a hybrid host it is /sys/fs/cgroup/unified. */
function findMount(mounts: string): string | null {
  const line = mounts.split('\n').find((text) => text.split(' ')[2] === 'cgroup2');
  return line?.split(' ')[1] ?? null;
}
