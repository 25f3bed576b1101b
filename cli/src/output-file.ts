import { closeSync, fchmodSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { CliError } from './errors.ts';

/** Descriptor of a file that is written anew, for its owner alone, also when it was there before. Throws CliError before anything is begun. */
export function openOutput(path: string): number {
  try {
    const fd = openSync(path, 'w', 0o600);
    // A device or a pipe stays everybody's.
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600);
    return fd;
  } catch (cause) {
    throw new CliError(`can't write ${path}: ${(cause as Error).message}`, { cause });
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
