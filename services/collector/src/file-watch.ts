import { closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { HostFiles, namedFiles } from '@ringfence/host-facts';
import { type EnrichmentSource, statCached } from '@ringfence/host-kit';
import { type FileKey, type FileTable, hasGeneration, type Sensor } from '@ringfence/sensor';

/** Ticks between two searches for files that did not exist before. */
const SEARCH_TICKS = 10;
/** Files opened at once to read their identities. */
const OPEN_MAX = 100;
/** Paths that rules and settings name. More would take too much of a tick, and the kernel's table holds no more. */
const NAMED_MAX = 1024;
/** Identities of a path: of its file and the file beneath it, and of the files that it had before. */
const KEYS_MAX = 16;

export interface FileWatchDeps {
  readonly hostRoot: string;
  /** Directory of the agent's own keys */
  readonly stateDir: string;
  readonly table: Pick<FileTable, 'set'>;
  readonly identify: Sensor['identifyFiles'];
  readonly log: Log;
  /** Time after which a file system counts as silent, ms. @default 30 s */
  readonly callMaxMs?: number;
}

export interface FileWatchStats {
  /** Files that are recognized by their identity */
  readonly followed: number;
  /** Look-ups that a file system did not answer in time */
  readonly stuck: number;
}

interface Followed {
  /** Changes with the file, its inode and its links */
  readonly stamp: string;
  /** The newest first */
  readonly keys: readonly FileKey[];
}

/** An open file whose identity is not known yet. */
interface Changed {
  readonly path: string;
  readonly stamp: string;
  readonly fd: number;
}

/**
 * Follows the files that give access to the host, so that the sensor recognizes them by whatever path they are opened.
 * Each tick notes the files that were replaced; a file that was renamed stays known under its former path. Never waits
 * for a file system: a tick uses the kernel's cache, and what is not there is looked up beside it.
 */
export class FileWatch implements EnrichmentSource {
  readonly name = 'files';
  readonly #deps: FileWatchDeps;
  readonly #followed = new Map<string, Followed>();
  #host: HostFiles | undefined;
  /** Further files that rules and settings name by their whole path */
  #named: readonly string[] = [];
  #isRead: (path: string) => boolean = () => true;
  #paths: readonly string[] = [];
  /** Paths that the kernel had not cached at the last tick */
  #uncached: readonly string[] = [];
  #ticks = 0;
  #searchDue = false;
  /** The look-ups beside the ticks; undefined: none is under way. */
  #working: Promise<void> | undefined;
  #isFull = false;

  constructor(deps: FileWatchDeps) {
    this.#deps = deps;
  }

  /**
   * Sets which files are wanted when they are only read.
   * @param named paths that may be files to follow besides those that always are
   */
  want(named: readonly string[], isRead: (path: string) => boolean): void {
    this.#named = named.filter((path) => !path.endsWith('/')).slice(0, NAMED_MAX);
    this.#isRead = isRead;
    if (this.#host === undefined) return;
    this.#publish();
    this.#searchDue = true;
    this.#work();
  }

  start(): void {
    const { hostRoot, log, callMaxMs } = this.#deps;
    this.#host = new HostFiles({ hostRoot, log, callMaxMs });
    this.tick();
  }

  tick(): void {
    if (this.#host === undefined) return;
    if (this.#ticks++ % SEARCH_TICKS === 0) this.#searchDue = true;
    this.#follow(this.#host);
    this.#work();
  }

  /** Resolves when no look-up is under way. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  stats(): FileWatchStats {
    return { followed: this.#followed.size, stuck: this.#host?.stuckCalls ?? 0 };
  }

  close(): void {
    this.#host?.[Symbol.dispose]();
    this.#host = undefined;
  }

  /** Begins what is due, unless the last look-ups are still under way. */
  #work(): void {
    if (this.#host === undefined || this.#working !== undefined) return;
    if (!this.#searchDue && this.#uncached.length === 0) return;
    this.#working = this.#lookUp().finally(() => {
      this.#working = undefined;
      if (this.#searchDue) this.#work();
    });
  }

  async #lookUp(): Promise<void> {
    const host = this.#host;
    if (host === undefined) return;
    try {
      if (this.#searchDue) await this.#search(host);
      await this.#followUncached(host);
    } catch (err) {
      this.#deps.log.warn({ err }, 'the files that give access could not be looked up: known files stay recognized');
    }
  }

  async #search(host: HostFiles): Promise<void> {
    this.#searchDue = false;
    const { hostRoot, stateDir } = this.#deps;
    const found = new Set([...(await namedFiles(host)), ...this.#followed.keys()]);
    for (const path of this.#named) if ((await host.kindOf(path)) === 'file') found.add(path);
    // In a container of its own, the agent's files are not below the host's root.
    const own = hostRoot === '/' ? await host.namesBelow(stateDir) : [];
    for (const name of own) if (name.endsWith('.key')) found.add(join(stateDir, name));
    this.#paths = [...found];
    this.#follow(host);
  }

  /** Reads the identities of files that have changed, as far as the kernel knows these files without asking. */
  #follow(host: HostFiles): void {
    if (this.#host !== host) return;
    const changed: Changed[] = [];
    const uncached: string[] = [];
    for (const path of this.#paths) {
      const fd = changed.length < OPEN_MAX ? host.openCached(path) : 'uncached';
      if (fd === 'uncached') uncached.push(path);
      else if (fd !== null) addIfChanged(path, fd, this.#followed.get(path), changed);
    }
    this.#uncached = uncached;
    this.#identify(changed);
  }

  async #followUncached(host: HostFiles): Promise<void> {
    const paths = this.#uncached;
    this.#uncached = [];
    const changed: Changed[] = [];
    try {
      for (const path of paths) {
        const fd = await host.open(path);
        if (fd !== null) addIfChanged(path, fd, this.#followed.get(path), changed);
        if (changed.length === OPEN_MAX) this.#identify(changed.splice(0));
      }
    } finally {
      this.#identify(changed);
    }
  }

  /** Reads the identities of open files, and closes them. */
  #identify(changed: readonly Changed[]): void {
    if (changed.length === 0) return;
    try {
      if (this.#host === undefined) return;
      const identities = this.#deps.identify();
      for (const { path, stamp, fd } of changed)
        this.#followed.set(path, {
          stamp,
          keys: withFormer(identities.get(fd) ?? [], this.#followed.get(path)?.keys ?? []),
        });
    } finally {
      for (const { fd } of changed) closeSync(fd);
    }
    this.#publish();
  }

  #publish(): void {
    const { table, log } = this.#deps;
    const files = Array.from(
      this.#followed,
      ([path, { keys }]) => [path, { reads: this.#isRead(path), keys }] as const,
    );
    const fits = table.set(new Map(files));
    if (!fits && !this.#isFull)
      log.warn(
        { files: files.length },
        'more files to recognize by identity than the kernel holds: some go by path only',
      );
    this.#isFull = !fits;
  }
}

/** Adds an open file to `changed` if it differs from the one that is followed, and closes it otherwise. */
function addIfChanged(path: string, fd: number, followed: Followed | undefined, changed: Changed[]): void {
  const { isFile, stamp } = statCached(fd);
  if (isFile && stamp !== followed?.stamp) changed.push({ path, stamp, fd });
  else closeSync(fd);
}

/** Returns the identities that a path has now, then the former ones, unless another file may have got their number. */
function withFormer(now: readonly FileKey[], before: readonly FileKey[]): FileKey[] {
  const isNow = (key: FileKey): boolean => now.some((current) => Buffer.compare(current, key) === 0);
  return [...now, ...before.filter((key) => !isNow(key) && hasGeneration(key))].slice(0, KEYS_MAX);
}
