import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kernelDevice, readAttributes, setAttribute, setFileTimes } from '@ringfence/host-kit';

/** A folder with a vault and mounts, all removed at the end. */
export class TestFiles implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'rf-files-'));
  readonly vault: string = join(this.directory, 'vault');
  readonly #mounts: string[] = [];

  /** Makes a folder on a file system of the given kind. Throws if it can't be mounted here. */
  make(kind: FileSystemKind, name: string = kind): string {
    const path = join(this.directory, name);
    mkdirSync(path);
    if (kind === 'same') return path;
    if (kind === 'tmpfs') this.mount(path, '-t', 'tmpfs', 'rf-test');
    else if (kind === 'ext4') this.#mountImage(path);
    else this.#mountOverlay(path);
    return path;
  }

  folder(path: string): void {
    mkdirSync(path, { recursive: true });
  }

  mount(path: string, ...options: string[]): void {
    execFileSync('mount', [...options, path], { stdio: 'pipe' });
    this.#mounts.push(path);
  }

  #mountImage(path: string): void {
    const image = `${path}.img`;
    writeFileSync(image, '');
    truncateSync(image, 16 << 20);
    execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'pipe' });
    this.mount(path, '-o', 'loop', image);
  }

  /** The file `program` is in the lower layer. */
  #mountOverlay(path: string): void {
    const parts = ['lower', 'upper', 'work'].map((part) => `${path}-${part}`);
    for (const part of parts) mkdirSync(part);
    const [lower = '', upper, work] = parts;
    makeFile(join(lower, 'program'));
    this.mount(path, '-t', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, 'rf-test');
  }

  [Symbol.dispose](): void {
    for (const path of this.#mounts.toReversed()) execFileSync('umount', [path]);
    // It fails at links, and does the rest.
    spawnSync('chattr', ['-R', '-f', '-i', this.directory], { stdio: 'ignore' });
    rmSync(this.directory, { recursive: true });
  }
}

export type FileSystemKind = 'same' | 'tmpfs' | 'ext4' | 'overlay';

/** `v2` of struct vfs_cap_data: CAP_NET_RAW, effective */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
/** An access list: owner rwx, user 1000 r--, group r-x, mask r-x, others r-x */
const ACCESS_LIST = Buffer.from(
  '02000000' + '01000700ffffffff' + '02000400e8030000' + '04000500ffffffff' + '10000500ffffffff' + '20000500ffffffff',
  'hex',
);

/** Makes a file that has everything that a restore must bring back. */
export function makeFile(path: string, text: string = 'malware\n'.repeat(1000)): void {
  writeFileSync(path, text);
  chownSync(path, 1234, 2345);
  const fd = openSync(path, 'r');
  setAttribute(fd, 'system.posix_acl_access', ACCESS_LIST);
  chmodSync(path, 0o4755);
  setAttribute(fd, 'security.capability', CAPABILITY);
  setAttribute(fd, 'user.origin', Buffer.from([0, 255, 1]));
  setFileTimes(fd, 1_000_000_000_123_456_789n, 1_100_000_000_987_654_321n);
  closeSync(fd);
}

export const addName = (path: string, name: string): void => linkSync(path, name);

/** Everything of a file that can be compared; `inode` tells which of several names are the same file. */
export function snapshot(path: string): object {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOATIME);
  try {
    const { uid, gid, mode, nlink, size, atimeNs, mtimeNs } = lstatSync(path, { bigint: true });
    const extended = [...readAttributes(fd)].map(([name, value]) => `${name}=${value.toString('hex')}`).toSorted();
    return {
      uid,
      gid,
      mode,
      nlink,
      size,
      atimeNs,
      mtimeNs,
      extended,
      sha256: createHash('sha256').update(readFileSync(fd)).digest('hex'),
    };
  } finally {
    closeSync(fd);
  }
}

/** The parameters of an order for the file as it is now. */
export function orderFor(path: string, more: Record<string, string> = {}): Record<string, string> {
  const { dev, ino } = statSync(path, { bigint: true });
  return { path, device: String(kernelDevice(dev)), inode: String(ino), ...more };
}
