import { closeSync, existsSync, fchmodSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { OperatorError } from './operator-error.ts';

/** Descriptor of a file that is written anew, for its owner alone, also when it was there before. Throws OperatorError before anything is begun. */
export function openOutput(path: string): number {
  try {
    const fd = openSync(path, 'w', 0o600);
    // A device or a pipe stays everybody's.
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600);
    return fd;
  } catch (cause) {
    throw new OperatorError(`can't write ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** A whole file, as `openOutput` makes it. */
export function writeOutput(path: string, text: string): void {
  const fd = openOutput(path);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/**
 * A folder, and those above it that are missing. Node's own `recursive` never ends in /proc, where mkdir says that the folder above is missing though it
 * is there. Throws OperatorError.
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (existsSync(path)) return;
  makeFolder(dirname(resolve(path)), mode);
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    // Somebody else may have been faster.
    if (!existsSync(path)) throw new OperatorError(`can't make ${path}: ${(cause as Error).message}`, { cause });
  }
}
