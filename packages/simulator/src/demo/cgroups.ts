import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './errors.ts';

const REMOVAL_TIMEOUT_MS = 90_000;
const RETRY_MS = 20;

/** Returns where cgroup v2 is mounted. Throws DemoError if it is not. */
export function cgroupRoot(mounts: string = readFileSync('/proc/mounts', 'utf8')): string {
  const line = mounts.split('\n').find((text) => text.split(' ')[2] === 'cgroup2');
  const path = line?.split(' ')[1];
  if (path === undefined) throw new DemoError('no cgroup v2 is mounted; try: mount -t cgroup2 cgroup2 /sys/fs/cgroup');
  return path;
}

/** Returns the directory that a cgroup of this name has in each hierarchy. */
export function cgroupsOf(name: string): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.flatMap((line) => {
    const [, point = '', type = ''] = line.split(' ');
    return type.startsWith('cgroup') ? [join(point, name)] : [];
  });
}

/** Removes cgroups with all cgroups below them once their processes have ended. Throws Error if they do not end. */
export async function removeCgroups(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    const end = performance.now() + REMOVAL_TIMEOUT_MS;
    while (!isRemovedWithAllBelow(directory)) {
      if (performance.now() > end) throw new Error(`${directory} still has processes: it is not removed`);
      await sleep(RETRY_MS);
    }
  }
}

function isRemovedWithAllBelow(directory: string): boolean {
  const below = readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  const all = [directory, ...below].sort((a, b) => b.length - a.length);
  return all.every((path) => readFileSync(join(path, 'cgroup.procs'), 'utf8') === '') && all.every(isRemoved);
}

/** A process that has left the list of its cgroup may still hold it for a moment. */
function isRemoved(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}
