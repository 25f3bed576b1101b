import { execFile } from 'node:child_process';
import { lchownSync, lstatSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@ringfence/base';
import { ifExists, ifReadable } from '@ringfence/host-kit';
import { z } from 'zod';
import { FileTree } from '../files/mounts.ts';
import { entryPath, OpenPlace } from '../files/place.ts';
import { errnoName, isMissing } from '../files/refusals.ts';
import { absolutePath } from '../parameter-types.ts';
import type { HostRoot } from './host-root.ts';

const run = promisify(execFile);
const CALL_MS = 30_000;
const LINKS_MAX = 256;
const FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/etc/systemd/user', '/usr/lib/systemd/system'];

/** A symbolic link by which a unit is enabled, with its path on the host. */
export interface UnitLink {
  readonly path: string;
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Unit {
  /** null: a drop-in of a unit, which the manager reads again. */
  readonly name: string | null;
  readonly wasActive: boolean;
  readonly links: readonly UnitLink[];
}

const owner = z.int().min(0).max(0xffffffff);
const unitName = z.string().regex(/^[\w:.\\@-]{1,255}$/);
export const unitSchema: z.ZodType<Unit> = z.strictObject({
  name: unitName.nullable(),
  wasActive: z.boolean(),
  links: z
    .array(z.strictObject({ path: absolutePath, target: z.string().min(1).max(4096), uid: owner, gid: owner }))
    .max(LINKS_MAX),
});

/** Finds the links `WANTED.wants/NAME`, `WANTED.requires/NAME` and the aliases of a unit file. */
export function findLinks(root: HostRoot, unitPath: string): UnitLink[] {
  const folders = [...new Set([...FOLDERS, dirname(unitPath)])].map((folder) => root.pathOf(folder));
  const sub = (folder: string): string[] =>
    namesIn(folder)
      .filter((name) => /\.(?:wants|requires|upholds)$/.test(name))
      .map((name) => join(folder, name));
  const links = folders
    .flatMap((folder) => [folder, ...sub(folder)])
    .flatMap((folder) => linksIn(root, folder, unitPath));
  return [...new Map(links.map((link) => [link.path, link])).values()].slice(0, LINKS_MAX);
}

const namesIn = (folder: string): string[] => ifReadable(() => readdirSync(folder)) ?? [];

function linksIn(root: HostRoot, folder: string, unitPath: string): UnitLink[] {
  return namesIn(folder).flatMap((name): UnitLink[] => {
    const path = join(folder, name);
    const stat = ifExists(() => lstatSync(path));
    if (!stat?.isSymbolicLink()) return [];
    const target = readlinkSync(path);
    const isSame = target === unitPath || join(dirname(root.hostPathOf(path)), target) === unitPath;
    if (!isSame && !(basename(target) === basename(unitPath) && name === basename(unitPath))) return [];
    return [{ path: root.hostPathOf(path), target, uid: stat.uid, gid: stat.gid }];
  });
}

/** Removes the links that are still what the plan found. */
export function removeLinks(root: HostRoot, links: readonly UnitLink[]): void {
  for (const { path, target } of links)
    withPlace(root, path, (at) => {
      if (linkTarget(at) === target) unlinkSync(at);
    });
}

/** Makes the links again, but none where something stands now. Returns the paths where something else does. */
export function restoreLinks(root: HostRoot, links: readonly UnitLink[]): string[] {
  const left = links.filter(({ path, target, uid, gid }) => {
    const isThere = withPlace(root, path, (at) => {
      if (ifExists(() => lstatSync(at)) !== null) return linkTarget(at) === target;
      symlinkSync(target, at);
      lchownSync(at, uid, gid);
      return true;
    });
    return isThere !== true;
  });
  return left.map(({ path }) => path);
}

/**
 * Calls `use` with a path by the descriptor of its folder, which was found without following links: users own some of
 * these folders, and could lead a link elsewhere. Returns null if there is no such folder.
 */
function withPlace<T>(root: HostRoot, hostPath: string, use: (at: Buffer) => T): T | null {
  using tree = FileTree.open('self');
  try {
    using place = OpenPlace.open(tree, Buffer.from(root.pathOf(hostPath)));
    return use(entryPath(place));
  } catch (error) {
    if (isMissing(error) || errnoName(error) === 'ELOOP') return null;
    throw error;
  }
}

/** null: no link stands there. */
const linkTarget = (at: Buffer): string | null =>
  ifExists(() => (lstatSync(at).isSymbolicLink() ? readlinkSync(at) : null));

/** Calls systemctl. Returns '' or, for people, what went wrong. */
export async function systemctl(command: readonly string[], ...args: readonly string[]): Promise<string> {
  const [program = '', ...before] = command;
  try {
    await run(program, [...before, ...args], { timeout: CALL_MS, killSignal: 'SIGKILL' });
    return '';
  } catch (error) {
    return `systemctl ${args.join(' ')}: ${messageOf(error).slice(0, 512)}`;
  }
}
