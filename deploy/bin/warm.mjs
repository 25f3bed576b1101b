/**
 * Loads every module of the program once (deploy/bin/precompile), so that the compile cache is complete. An image or
 * the sandbox of a unit makes the cache read-only, so each start would compile a missing module again.
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Entry points of programs, which would start when loaded. */
const PROGRAMS = [
  'cli/src/main.ts',
  'packages/simulator/src/hosts/main.ts',
  'packages/rule-corpus/src/noise/main.ts',
  'packages/rule-corpus/src/procedures/main.ts',
];

const paths = globSync('{cli,packages/*,services/*}/src/**/*.ts').filter((path) => !PROGRAMS.includes(path));
// Modules of worker threads throw here, because there is no parent port, but they are compiled before that.
for (const path of paths) await import(pathToFileURL(resolve(path)).href).catch(() => undefined);
