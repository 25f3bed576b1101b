import { readdirSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import { matchRuntime } from '../runtimes/runtimes.ts';
import { Cgroups } from './cgroups.ts';
import { ContainerFiles } from './container-files.ts';

const CGROUPS_MAX = 50_000;
/** A shorter prefix only matches names. */
const ID_PREFIX_MIN = 6;

export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  /** directory of the container's outermost cgroup */
  readonly directory: string;
}

/** Finds the running containers with this id, id prefix or name. */
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
    else if (!found.has(container.id) && matches(container, wanted))
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

function matches({ id, name }: Omit<FoundContainer, 'directory'>, wanted: string): boolean {
  return id === wanted || name === wanted || (wanted.length >= ID_PREFIX_MIN && id.startsWith(wanted));
}

function children(directory: string): string[] {
  const entries = ifExists(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
