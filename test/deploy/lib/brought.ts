import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '../../..');
/** Container engines, as tools/ brings them for tests. */
export const BROUGHT: string = join(ROOT, 'dist/engine');
const PROGRAMS = ['usr/sbin', 'usr/bin'].map((directory) => join(BROUGHT, 'root', directory));

/** The program of this name, of those that were brought if it is among them. */
export const brought = (name: string): string => PROGRAMS.map((at) => join(at, name)).find(existsSync) ?? name;

/** In which the programs that were brought are found. */
export const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: [...PROGRAMS, process.env['PATH']].join(delimiter),
  LD_LIBRARY_PATH: libraries(),
});

/** Those that came with the engine, in Debian's directory for each architecture. */
function libraries(): string {
  const directory = join(BROUGHT, 'root/usr/lib');
  return readdirSync(directory)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(directory, name))
    .join(':');
}
