import { readdirSync, statSync } from 'node:fs';
import type { ContainerDescription } from '@ringfence/host-kit';
import { asLabels, asObject, asText, ifExists, readJson } from '@ringfence/host-kit';
import { NOTHING } from './description.ts';

const MAX_FILES = 4096;
/** A directory's time of change is coarse: one that changed a moment ago may have changed again since. */
const SETTLED_MS = 2000;

export interface ListedContainer extends ContainerDescription {
  /** from the root of the hierarchy; the cgroups below belong to the container too */
  readonly cgroupPath: string;
  readonly id: string;
  readonly runtime: string;
}

/**
 * Containers that a file announces: `<directory>/<name>.json` with `{ "cgroupPath": "/x", "id", "name", "image", "runtime", "privileged", "labels" }`, all
 * but the first optional. For sandboxes and runtimes that are not known here. Written under another name first, then renamed; before the first
 * process starts in the cgroup, so that its first event is judged as the container's.
 */
export class ContainerFiles {
  readonly #directories: readonly string[];
  readonly #onUnsafe: (directory: string) => void;
  readonly #warned = new Set<string>();
  #listed: readonly ListedContainer[] = [];
  #stamp = '';

  /** `onUnsafe`: a directory that others can write to is not read. */
  constructor(directories: readonly string[], onUnsafe: (directory: string) => void) {
    this.#directories = directories;
    this.#onUnsafe = onUnsafe;
  }

  /** true when the files were read again */
  refresh(): boolean {
    const stats = this.#directories.map(
      (directory) => ifExists(() => statSync(directory, { throwIfNoEntry: false })) ?? null,
    );
    const stamp = stats.map((stat) => `${stat?.ino}/${stat?.mtimeMs}`).join();
    const settled = stats.every((stat) => stat === null || Date.now() - stat.mtimeMs > SETTLED_MS);
    if (settled && stamp === this.#stamp) return false;
    this.#stamp = settled ? stamp : '';
    this.#listed = this.#directories
      .filter((directory, index) => this.#safe(directory, stats[index] ?? null))
      .flatMap(readDirectory);
    return true;
  }

  #safe(directory: string, stat: { uid: number; mode: number } | null): boolean {
    if (stat === null) return false;
    const safe = (stat.uid === 0 || stat.uid === process.getuid?.()) && (stat.mode & 0o022) === 0;
    if (!safe && !this.#warned.has(directory)) {
      this.#warned.add(directory);
      this.#onUnsafe(directory);
    }
    return safe;
  }

  /** The innermost announced container that a cgroup lies in. */
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
    ...NOTHING,
    cgroupPath,
    id: asText(file['id'], 256) || fileName.slice(0, -'.json'.length).slice(0, 256),
    runtime: asText(file['runtime'], 64),
    name: asText(file['name']),
    image: asText(file['image']),
    privileged: typeof privileged === 'boolean' ? privileged : null,
    labels: asLabels(file['labels']),
  };
}
