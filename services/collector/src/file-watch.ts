import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { isFile, namedFiles } from '@ringfence/host-facts';
import { type EnrichmentSource, ifReadable, O_PATH, openBeneath } from '@ringfence/host-kit';
import { type FileKey, type FileTable, hasGeneration, type Sensor } from '@ringfence/sensor';

/** Ticks between two searches for files that did not exist before. */
const SEARCH_TICKS = 10;
/** Files opened at once to read their identities. */
const OPEN_MAX = 100;
/** Identities of a path: of its file and the file beneath it, and of the files that it had before. */
const KEYS_MAX = 6;

export interface FileWatchDeps {
  readonly hostRoot: string;
  /** Directory of the agent's own keys */
  readonly stateDir: string;
  readonly table: Pick<FileTable, 'set'>;
  readonly identify: Sensor['identifyFiles'];
  readonly log: Log;
}

interface Followed {
  /** Changes with the file, its inode and its links */
  readonly stamp: string;
  /** The newest first */
  readonly keys: readonly FileKey[];
}

/**
 * Follows the files that give access to the host, so that the sensor recognizes them by whatever path they are opened.
 * Each tick notes the files that were replaced; a file that was renamed stays known under its former path.
 */
export class FileWatch implements EnrichmentSource {
  readonly name = 'files';
  readonly #deps: FileWatchDeps;
  readonly #files = new Map<string, Followed>();
  /** Further files that rules and settings name by their whole path */
  #named: readonly string[] = [];
  #isRead: (path: string) => boolean = () => true;
  #paths: readonly string[] = [];
  #ticks = 0;
  #isFull = false;

  constructor(deps: FileWatchDeps) {
    this.#deps = deps;
  }

  /**
   * Sets which files are wanted when they are only read.
   * @param named paths that may be files to follow besides those that always are
   */
  want(named: readonly string[], isRead: (path: string) => boolean): void {
    this.#named = named;
    this.#isRead = isRead;
    if (this.#ticks === 0) return;
    this.#search();
    this.#refresh();
    this.#publish();
  }

  start(): void {
    this.tick();
  }

  tick(): void {
    if (this.#ticks++ % SEARCH_TICKS === 0) this.#search();
    if (this.#refresh()) this.#publish();
  }

  close(): void {}

  #search(): void {
    const { hostRoot, stateDir } = this.#deps;
    const named = this.#named.filter((path) => !path.endsWith('/') && isFile(join(hostRoot, path)));
    // In a container of its own, the agent's files are not below the host's root.
    const own = hostRoot === '/' ? keysIn(stateDir) : [];
    this.#paths = [...new Set([...namedFiles(hostRoot), ...named, ...own, ...this.#files.keys()])];
  }

  /** Reads the identities of files that have changed. Returns false if none has. */
  #refresh(): boolean {
    const stamps = new Map(this.#paths.map((path) => [path, this.#stampOf(path)]));
    const changed = [...stamps].filter(([path, stamp]) => stamp !== '' && stamp !== this.#files.get(path)?.stamp);
    for (let at = 0; at < changed.length; at += OPEN_MAX) this.#identify(changed.slice(at, at + OPEN_MAX));
    return changed.length > 0;
  }

  /** Returns '' if there is no such file. */
  #stampOf(path: string): string {
    const stat = ifReadable(() => lstatSync(join(this.#deps.hostRoot, path), { bigint: true }));
    return stat?.isFile() === true ? `${stat.dev}/${stat.ino}/${stat.ctimeNs}` : '';
  }

  #identify(changed: readonly (readonly [path: string, stamp: string])[]): void {
    const root = openSync(this.#deps.hostRoot, O_PATH | constants.O_DIRECTORY);
    const opened: number[] = [root];
    try {
      // `namedFiles` has left out paths on remote file systems.
      const descriptors = changed.map(([path]) => openBeneath(root, Buffer.from(path), () => true));
      opened.push(...descriptors.filter((descriptor) => descriptor !== null));
      const identities = this.#deps.identify();
      for (const [index, [path, stamp]] of changed.entries()) {
        const now = identities.get(descriptors[index] ?? -1) ?? [];
        this.#files.set(path, { stamp, keys: withFormer(now, this.#files.get(path)?.keys ?? []) });
      }
    } finally {
      for (const descriptor of opened) closeSync(descriptor);
    }
  }

  #publish(): void {
    const { table, log } = this.#deps;
    const files = Array.from(this.#files, ([path, { keys }]) => [path, { reads: this.#isRead(path), keys }] as const);
    const fits = table.set(new Map(files));
    if (!fits && !this.#isFull)
      log.warn(
        { files: files.length },
        'more files to recognize by identity than the kernel holds: some go by path only',
      );
    this.#isFull = !fits;
  }
}

/** Returns the identities that a path has now, then the former ones, unless another file may have got their number. */
function withFormer(now: readonly FileKey[], before: readonly FileKey[]): FileKey[] {
  const isNow = (key: FileKey): boolean => now.some((current) => Buffer.compare(current, key) === 0);
  return [...now, ...before.filter((key) => !isNow(key) && hasGeneration(key))].slice(0, KEYS_MAX);
}

/** Returns the private keys of this agent: those of its identity, or of one process. */
function keysIn(stateDir: string): string[] {
  const names = ifReadable(() => readdirSync(stateDir, { recursive: true, encoding: 'utf8' })) ?? [];
  return names.filter((name) => name.endsWith('.key')).map((name) => join(stateDir, name));
}
