import { openSync } from 'node:fs';
import { CliError } from './errors.ts';

/** Descriptor of a file that is written anew, for its owner alone. Throws CliError before anything is begun. */
export function openOutput(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (cause) {
    throw new CliError(`can't write ${path}: ${(cause as Error).message}`, { cause });
  }
}
