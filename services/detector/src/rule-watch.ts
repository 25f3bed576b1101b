import { type FSWatcher, readdirSync, readlinkSync, realpathSync, statSync, watch } from 'node:fs';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';

/** Editors write a file in several steps: wait until no more changes arrive, ms. */
const SETTLE_MS = 150;
/** The kernel's limit of links in a path */
const MAX_LINKS = 40;

/** Watched names by directory; null: all names. */
type Watched = Map<string, Set<string> | null>;

/**
 * Calls `changed` shortly after anything at or below the paths changed. A file, and each link on the way to it, is
 * watched by its name in its directory: editors, and Kubernetes with a ConfigMap, rename a new one over it.
 */
export class RuleWatch implements Disposable {
  readonly #paths: readonly string[];
  readonly #changed: () => void;
  readonly #failed: (error: Error) => void;
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(paths: readonly string[], changed: () => void, failed: (error: Error) => void) {
    this.#paths = paths;
    this.#changed = changed;
    this.#failed = failed;
    this.#watch();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  readonly #settle = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Watch before the files are read, so that no change is missed. A directory may have been replaced.
      this.#watch();
      this.#changed();
    }, SETTLE_MS);
  };

  #watch(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
    for (const [directory, names] of this.#watched()) {
      this.#attempt(() => {
        const watcher = watch(directory, (_, name) => {
          if (names === null || name === null || names.has(name)) this.#settle();
        });
        watcher.on('error', this.#failed);
        this.#watchers.push(watcher);
      });
    }
  }

  /** A path that can't be read is watched in its directory, so that its repair is noticed. */
  #watched(): Watched {
    const watched: Watched = new Map();
    for (const path of this.#paths) {
      for (const name of watchedNamesOf(path)) addName(watched, name);
      this.#attempt(() => addFolders(watched, path));
    }
    return watched;
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      // The path was removed in the meantime: look again.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#settle();
      else this.#failed(error as Error);
    }
  }
}

function addName(watched: Watched, [directory, name]: readonly [string, string]): void {
  const names = watched.get(directory);
  if (names === undefined) watched.set(directory, new Set([name]));
  else names?.add(name);
}

/** Adds the folders at and below a path, and the targets of links in them. */
function addFolders(watched: Watched, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const top = realpathSync(path);
  watched.set(top, null);
  for (const entry of readdirSync(top, { recursive: true, withFileTypes: true })) {
    const name = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) watched.set(name, null);
    else if (entry.isSymbolicLink()) for (const link of watchedNamesOf(name)) addName(watched, link);
  }
}

/** Returns the directory and name of the path's end and of each link on the way, as far as the path exists. */
function watchedNamesOf(path: string): (readonly [directory: string, name: string])[] {
  const names: (readonly [string, string])[] = [];
  const rest = resolve(path).split(sep);
  let at: string = sep;
  for (let links = 0; links < MAX_LINKS; ) {
    const name = rest.shift();
    if (name === undefined) break;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const target = targetOf(join(at, name));
    if (target !== null || !rest.some(Boolean)) names.push([at, name]);
    if (target === undefined) break;
    if (target === null) at = join(at, name);
    else {
      links++;
      rest.unshift(...target.split(sep));
      if (isAbsolute(target)) at = sep;
    }
  }
  return names;
}

/** Returns the target of a link; null if it is no link, undefined if it does not exist. */
function targetOf(path: string): string | null | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EINVAL' ? null : undefined;
  }
}
