/** Facts about files and processes from ordinary kernel interfaces, in the sensor's representation. */
import { readlinkSync, statSync } from 'node:fs';
import type { TestSensor } from '@ringfence/testkit/sensor';

/** Converts a user-space st_dev to the kernel's representation: 12 bits major, 20 bits minor. */
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

/** Returns the inode numbers of this process's namespaces, without `pid_in_ns`. */
export function namespaces(): { [name: string]: number } {
  const names = ['mnt', 'pid', 'net', 'user', 'uts', 'ipc', 'cgroup'];
  return Object.fromEntries(
    names.map((name) => [name, Number(/\d+/.exec(readlinkSync(`/proc/self/ns/${name}`))?.[0])]),
  );
}

/** Whether a hook of the full profile is in place, by whichever method. */
export function isLoaded(sensor: TestSensor, hook: string): boolean {
  return ['', '_fentry', '_kprobe'].some((method) => sensor.object.programs.get(`${hook}${method}`)?.loaded === true);
}
