import { closeSync, constants, fstatSync, openSync } from 'node:fs';

/**
 * Opens a file in a folder whose owner may be less trusted than this process: never through a link, never a pipe that
 * would hold it, never a file that has another name elsewhere. Throws the errors of node:fs, or Error.
 */
export function openFile(path: string, flags: number): number {
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  const stats = fstatSync(fd);
  if (stats.isFile() && stats.nlink === 1) return fd;
  closeSync(fd);
  throw new Error(`${path} is no file of its own: remove it`);
}
