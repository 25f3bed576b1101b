import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '../../..');
/** Container engines that tools/bootstrap installs for tests. */
export const ENGINE_DIRECTORY: string = join(ROOT, 'dist/engine');
const PROGRAMS = ['usr/sbin', 'usr/bin'].map((directory) => join(ENGINE_DIRECTORY, 'root', directory));

/** Returns the path of an installed engine program, or the name for a lookup in PATH. */
export const engineProgram = (name: string): string =>
  PROGRAMS.map((directory) => join(directory, name)).find(existsSync) ?? name;

/** Returns an environment that finds the installed programs and libraries. */
export const engineEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: [...PROGRAMS, process.env['PATH']].join(delimiter),
  LD_LIBRARY_PATH: libraries(),
});

/** Returns the library directories of the engine, in Debian's layout by architecture. */
function libraries(): string {
  const directory = join(ENGINE_DIRECTORY, 'root/usr/lib');
  return readdirSync(directory)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(directory, name))
    .join(':');
}
