import { type FSWatcher, watch } from 'node:fs';

/**
 * Rings when a file is written, moved or removed (inotify), once: a flood of lines is a flood of notices, so the one who heard it looks for himself until it is quiet again. It
 * hears nothing of what another host writes to a shared file system.
 */
export class Bell {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #ring: () => void;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** true: it hangs on all of them, and did before, so that one look since then has missed nothing. */
  hang(paths: readonly string[]): boolean {
    const wanted = new Set(paths);
    for (const path of this.#watchers.keys()) if (!wanted.has(path)) this.#take(path);
    const missing = paths.filter((path) => !this.#watchers.has(path));
    for (const path of missing) this.#hangOn(path);
    return missing.length === 0;
  }

  close(): void {
    for (const path of this.#watchers.keys()) this.#take(path);
  }

  #hangOn(path: string): void {
    const rung = (): void => {
      this.#take(path);
      this.#ring();
    };
    try {
      // It is gone, or the user's watches are used up: then it is looked at as often as without a bell.
      this.#watchers.set(path, watch(path, { persistent: false }, rung).on('error', rung));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  #take(path: string): void {
    this.#watchers.get(path)?.close();
    this.#watchers.delete(path);
  }
}

const REFUSALS = ['ENOENT', 'ENOTDIR', 'EACCES', 'ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'];

const isRefusal = (error: unknown): boolean => REFUSALS.includes((error as NodeJS.ErrnoException).code ?? '');
