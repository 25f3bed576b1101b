/**
 * Loads every module of the program once (deploy/bin/precompile), so that each start finds it stripped of its types and compiled: what an image or a unit's
 * sandbox makes read-only and is missing then would be missing at every start.
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Programs of their own: loading them would start them. */
const PROGRAMS = ['cli/src/main.ts', 'packages/simulator/src/hosts/main.ts'];

const paths = globSync('{cli,packages/*,services/*}/src/**/*.ts').filter((path) => !PROGRAMS.includes(path));
// Threads' own modules fail here, where there is no other side, after they have been compiled.
for (const path of paths) await import(pathToFileURL(resolve(path)).href).catch(() => undefined);
