import { readdirSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import { Cgroups } from './cgroups.ts';
import { ContainerFiles } from './container-files.ts';
import { matchRuntime } from './runtimes.ts';

const CGROUPS_MAX = 50_000;
/** Shorter ones are taken for names only. */
const ID_PREFIX_MIN = 6;

export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  /** directory of its outermost cgroup */
  readonly directory: string;
}

/** The running containers whose id, its beginning, or name this is. */
export function findContainers(wanted: string, fileDirectories: readonly string[]): FoundContainer[] {
  using cgroups = new Cgroups();
  if (cgroups.mount === null) return [];
  const files = new ContainerFiles(fileDirectories, () => {});
  files.refresh();
  const found = new Map<string, FoundContainer>();
  const queue = [''];
  for (let i = 0; i < queue.length && i < CGROUPS_MAX; i++) {
    const path = queue[i] as string;
    const container = describe(path, files);
    if (container === null) queue.push(...children(cgroups.mount + path).map((name) => `${path}/${name}`));
    else if (!found.has(container.id) && isMeant(container, wanted))
      found.set(container.id, { ...container, directory: cgroups.mount + path });
  }
  return [...found.values()];
}

function describe(path: string, files: ContainerFiles): Omit<FoundContainer, 'directory'> | null {
  const listed = files.find(path);
  if (listed !== null) return listed;
  const match = matchRuntime(path);
  if (match === null) return null;
  return { id: match.id, name: match.runtime.describe(match.id, { root: '/', dockerRoots: [] })?.name ?? '' };
}

function isMeant({ id, name }: Omit<FoundContainer, 'directory'>, wanted: string): boolean {
  return id === wanted || name === wanted || (wanted.length >= ID_PREFIX_MIN && id.startsWith(wanted));
}

function children(directory: string): string[] {
  const entries = ifExists(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
