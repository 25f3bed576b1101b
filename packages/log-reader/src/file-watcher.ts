import { type FSWatcher, watch } from 'node:fs';

/** A path is gone, or the user's inotify watches are used up. */
const WATCH_ERRORS = ['ENOENT', 'ENOTDIR', 'EACCES', 'ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'];

/**
 * Notifies once when a file is written, moved or removed (inotify), and then stops watching it: a flood of lines would
 * be a flood of notifications, so the reader polls until the file is quiet again. Changes that other hosts make to a
 * shared file system are not noticed.
 */
export class FileWatcher {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /**
   * Watches these paths and no others. Returns true if all of them were watched before this call. Then a poll since
   * that time has missed nothing.
   */
  watchOnly(paths: readonly string[]): boolean {
    const wanted = new Set(paths);
    for (const path of this.#watchers.keys()) if (!wanted.has(path)) this.#unwatch(path);
    const missing = paths.filter((path) => !this.#watchers.has(path));
    for (const path of missing) this.#watch(path);
    return missing.length === 0;
  }

  close(): void {
    for (const path of this.#watchers.keys()) this.#unwatch(path);
  }

  #watch(path: string): void {
    const notify = (): void => {
      this.#unwatch(path);
      this.#onChange();
    };
    try {
      this.#watchers.set(path, watch(path, { persistent: false }, notify).on('error', notify));
    } catch (error) {
      // The path stays unwatched, so the reader keeps polling it.
      if (!WATCH_ERRORS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }

  #unwatch(path: string): void {
    this.#watchers.get(path)?.close();
    this.#watchers.delete(path);
  }
}
