import { closeSync, constants, opendirSync, openSync, readlinkSync } from 'node:fs';
import { messageOf } from '@ringfence/base';
import { type EntryStat, openBeneath, statAt } from '@ringfence/host-kit';
import type { ParametersOf } from '../parameters.ts';
import { pathText } from '../path-text.ts';
import { Content, type Reading } from './content.ts';
import { copyFile, isRegular, reopen, typeOf } from './file-reader.ts';
import { note } from './report.ts';
import { statFd, statTexts } from './target.ts';

const ENTRIES = 100_000;
const DEPTH_MAX = 64;
/** Files whose content is collected */
const FILES_MAX = 10_000;
const READ_AHEAD = 1024;

interface Found {
  /** Below the directory */
  readonly path: Buffer;
  readonly stat: EntryStat;
}

/** Lists a directory with all below it on the same mount, then collects the small files of the list. */
export function readDirectory(reading: Reading, fd: number, parameters: ParametersOf<'directory'>): void {
  const { path, entries = ENTRIES, contents = 0 } = parameters;
  const source = { path, ...statTexts(statFd(fd)) };
  const listing = new Content(reading, { kind: 'listing', name: path, source });
  const walk = new Walk(listing, statFd(fd).mount, entries, contents);
  walk.enter(fd, Buffer.alloc(0), 0);
  listing.finish();
  for (const { path: below, stat } of walk.files) if (!readBelow(reading, fd, path, below, stat)) return;
}

class Walk {
  readonly files: Found[] = [];
  readonly #listing: Content;
  readonly #mount: bigint;
  readonly #maxBytes: number;
  #left: number;

  constructor(listing: Content, mount: bigint, entries: number, maxBytes: number) {
    this.#listing = listing;
    this.#mount = mount;
    this.#left = entries;
    this.#maxBytes = maxBytes;
  }

  /** Returns false when a limit has ended the walk. */
  enter(fd: number, path: Buffer, depth: number): boolean {
    const directory = opendirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' as never, bufferSize: READ_AHEAD });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        const name = entry.name as unknown as Buffer;
        if (!this.#visit(fd, name, path.length === 0 ? name : Buffer.concat([path, SLASH, name]), depth)) return false;
      }
      return true;
    } finally {
      directory.closeSync();
    }
  }

  #visit(fd: number, name: Buffer, path: Buffer, depth: number): boolean {
    if (this.#left-- === 0) {
      this.#listing.note('cut: the directory has more entries than may be listed');
      return false;
    }
    const stat = attemptStat(fd, name);
    const isMount = typeof stat !== 'string' && stat.mount !== this.#mount;
    const facts = typeof stat === 'string' ? { error: stat } : { type: typeOf(stat.mode), ...statTexts(stat) };
    const link = typeof stat !== 'string' && typeOf(stat.mode) === 'a link' ? { target: targetOf(fd, name) } : {};
    const line = JSON.stringify({ path: pathText(path), ...facts, ...link, ...(isMount ? { mount: true } : {}) });
    if (!this.#listing.write(Buffer.from(`${line}\n`))) return false;
    if (typeof stat === 'string' || isMount) return true;
    if (typeOf(stat.mode) === 'a directory') return this.#descend(fd, name, path, depth);
    if (isRegular(stat) && stat.size <= this.#maxBytes && this.#maxBytes > 0) this.#choose({ path, stat });
    return true;
  }

  #choose(found: Found): void {
    if (this.files.length < FILES_MAX) this.files.push(found);
    else this.#listing.note(`the contents of more than ${FILES_MAX} files are not collected`);
  }

  #descend(fd: number, name: Buffer, path: Buffer, depth: number): boolean {
    if (depth === DEPTH_MAX) {
      this.#listing.note(`not entered, because it is too deep: ${pathText(path)}`);
      return true;
    }
    let below: number;
    try {
      const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      below = openSync(Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]), flags);
    } catch (error) {
      this.#listing.note(`not entered: ${pathText(path)} (${(error as NodeJS.ErrnoException).code})`);
      return true;
    }
    try {
      // What was opened may have taken the place of what was listed.
      return statFd(below).mount !== this.#mount || this.enter(below, path, depth + 1);
    } finally {
      closeSync(below);
    }
  }
}

const SLASH = Buffer.from('/');

function attemptStat(fd: number, name: Buffer): EntryStat | string {
  try {
    return statAt(fd, name);
  } catch (error) {
    return messageOf(error);
  }
}

function targetOf(fd: number, name: Buffer): string {
  try {
    const path = Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);
    return pathText(readlinkSync(path, { encoding: 'buffer' }));
  } catch (error) {
    return `(${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Returns false when a limit has ended the reading. */
function readBelow(reading: Reading, root: number, folder: string, path: Buffer, listed: EntryStat): boolean {
  if (reading.budget.allow(1) === 0) return false;
  const name = `${folder === '/' ? '' : folder}/${pathText(path)}`;
  const found = openBeneath(root, path, () => false);
  if (found === null) note(`${name} was removed, or replaced by a link, after it was listed`);
  else {
    const stat = statFd(found);
    if (stat.inode !== listed.inode || !isRegular(stat)) note(`${name} was replaced after it was listed`);
    else
      withFile(name, found, (fd) =>
        copyFile(reading, fd, { kind: 'file', name, source: { path: name, ...statTexts(stat) } }),
      );
    closeSync(found);
  }
  return reading.budget.cut === '';
}

function withFile(name: string, found: number, use: (fd: number) => void): void {
  let fd: number;
  try {
    fd = reopen(found);
  } catch (error) {
    note(`${name} can't be opened (${(error as NodeJS.ErrnoException).code})`);
    return;
  }
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
