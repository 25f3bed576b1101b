import { opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ifExists, ifReadable } from '@ringfence/host-kit';
import { isKernelThread } from '../containers/isolation.ts';
import { TASK_DIRECTORIES } from './containerd.ts';
import type { HostRoots } from './description.ts';
import { dataRoots } from './docker.ts';
import { CONTAINERS_DIRECTORIES } from './podman.ts';
import { STATES } from './runc.ts';

/**
 * Whether the files of all runtimes can be read, so that a container without a description has none. They can't be
 * read from a container that the host's root is not mounted into, or without CAP_DAC_READ_SEARCH.
 */
export function areRuntimesReadable(roots: HostRoots): boolean {
  const { root } = roots;
  const engines = dataRoots(roots).map((dataRoot) => `${dataRoot}/containers`);
  const directories = [...engines, ...TASK_DIRECTORIES, ...CONTAINERS_DIRECTORIES, ...STATES];
  return (root !== '/' || isHostRoot()) && directories.every((path) => !isForbidden(join(root, path)));
}

/** Whether this process has the root directory of the host's pid 1, or of a kernel thread where that can't be read. */
function isHostRoot(): boolean {
  const rootOf = (pid: number | 'self') => ifReadable(() => statSync(`/proc/${pid}/root`, { bigint: true }));
  const [own, host] = [rootOf('self'), rootOf(1) ?? rootOf(2)];
  return isKernelThread(2) && own?.ino === host?.ino && own?.dev === host?.dev;
}

function isForbidden(path: string): boolean {
  try {
    ifExists(() => opendirSync(path))?.closeSync();
    return false;
  } catch {
    return true;
  }
}
