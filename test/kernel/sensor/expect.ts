/** What the kernel says about a file or a process by its ordinary interfaces, in the sensor's terms. */
import { readlinkSync, statSync } from 'node:fs';

/** A user-space st_dev as the kernel keeps it: 12 bits major, 20 bits minor. */
export function kernelDevice(device: bigint): number {
  const major = (device >> 8n) & 0xfffn;
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n);
  return Number((major << 20n) | minor);
}

export function fileFacts(path: string): {
  inode: bigint;
  device: number;
  mode: number;
  owner: number;
  ctime: bigint;
  mtime: bigint;
} {
  const stat = statSync(path, { bigint: true });
  return {
    inode: stat.ino,
    device: kernelDevice(stat.dev),
    mode: Number(stat.mode),
    owner: Number(stat.uid),
    ctime: stat.ctimeNs,
    mtime: stat.mtimeNs,
  };
}

/** Inode numbers of this process's namespaces; `pid_in_ns` is left to the caller. */
export function namespaces(): { [name: string]: number } {
  const names = ['mnt', 'pid', 'net', 'user', 'uts', 'ipc', 'cgroup'];
  return Object.fromEntries(
    names.map((name) => [name, Number(/\d+/.exec(readlinkSync(`/proc/self/ns/${name}`))?.[0])]),
  );
}
