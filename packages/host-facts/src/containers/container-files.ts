import { readdirSync, statSync } from 'node:fs';
import { asLabels, asObject, asText, type ContainerDescription, ifExists, readJson } from '@ringfence/host-kit';
import { EMPTY_DESCRIPTION } from '../runtimes/description.ts';

const MAX_FILES = 4096;
/** The modification time of a directory is coarse: a directory that changed a moment ago may have changed again. */
const SETTLED_MS = 2000;

export interface ListedContainer extends ContainerDescription {
  /** path from the root of the hierarchy; the cgroups below it belong to the container too */
  readonly cgroupPath: string;
  readonly id: string;
  readonly runtime: string;
}

/**
 * Containers that files announce, for sandboxes and runtimes that Ringfence does not know. A file
 * `<directory>/<name>.json` contains `{ "cgroupPath": "/x", "id", "name", "image", "runtime", "privileged", "labels"
 * }`, of which only the first is required. Write it under another name, then rename it, before the first process starts
 * in the cgroup: so the container's first event is matched as the container's.
 */
export class ContainerFiles {
  readonly #directories: readonly string[];
  readonly #onUnsafe: (directory: string) => void;
  readonly #warned = new Set<string>();
  #listed: readonly ListedContainer[] = [];
  #stamp = '';

  /** @param onUnsafe called for a directory that is not read because other users can write to it */
  constructor(directories: readonly string[], onUnsafe: (directory: string) => void) {
    this.#directories = directories;
    this.#onUnsafe = onUnsafe;
  }

  /** Returns true if the files were read again. */
  refresh(): boolean {
    const stats = this.#directories.map(
      (directory) => ifExists(() => statSync(directory, { throwIfNoEntry: false })) ?? null,
    );
    const stamp = stats.map((stat) => `${stat?.ino}/${stat?.mtimeMs}`).join();
    const settled = stats.every((stat) => stat === null || Date.now() - stat.mtimeMs > SETTLED_MS);
    if (settled && stamp === this.#stamp) return false;
    this.#stamp = settled ? stamp : '';
    this.#listed = this.#directories
      .filter((directory, index) => this.#isSafe(directory, stats[index] ?? null))
      .flatMap(readDirectory);
    return true;
  }

  #isSafe(directory: string, stat: { uid: number; mode: number } | null): boolean {
    if (stat === null) return false;
    const isSafe = (stat.uid === 0 || stat.uid === process.getuid?.()) && (stat.mode & 0o022) === 0;
    if (!isSafe && !this.#warned.has(directory)) {
      this.#warned.add(directory);
      this.#onUnsafe(directory);
    }
    return isSafe;
  }

  /** Returns the innermost announced container to which a cgroup belongs. */
  find(path: string): ListedContainer | null {
    let best: ListedContainer | null = null;
    for (const container of this.#listed) {
      const { cgroupPath } = container;
      const inside = path === cgroupPath || path.startsWith(`${cgroupPath}/`);
      if (inside && cgroupPath.length > (best?.cgroupPath.length ?? 0)) best = container;
    }
    return best;
  }
}

function readDirectory(directory: string): ListedContainer[] {
  const names = (ifExists(() => readdirSync(directory)) ?? []).filter((name) => name.endsWith('.json')).sort();
  return names
    .slice(0, MAX_FILES)
    .flatMap((name) => parseContainer(readJson(`${directory}/${name}`, 65_536), name) ?? []);
}

export function parseContainer(json: unknown, fileName: string): ListedContainer | null {
  const file = asObject(json);
  const cgroupPath = asText(file['cgroupPath'], 4096).replace(/\/+$/, '');
  if (!cgroupPath.startsWith('/')) return null;
  const privileged = file['privileged'];
  return {
    ...EMPTY_DESCRIPTION,
    cgroupPath,
    id: asText(file['id'], 256) || fileName.slice(0, -'.json'.length).slice(0, 256),
    runtime: asText(file['runtime'], 64),
    name: asText(file['name']),
    image: asText(file['image']),
    privileged: typeof privileged === 'boolean' ? privileged : null,
    labels: asLabels(file['labels']),
  };
}
