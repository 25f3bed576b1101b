#!/usr/bin/env node
/**
 * Brings what Ringfence needs (dependencies with Node 24, system packages, the sensor), then runs it under that Node:
 *
 *   node tools/bootstrap.mjs ARGS…              the ringfence command
 *   node tools/bootstrap.mjs --run FILE ARGS…   another program of this repository
 *   node tools/bootstrap.mjs --setup            bring everything but the servers and guests of tests, run nothing
 *
 * It is plain JavaScript without dependencies, because it runs on whatever Node is there, before anything is installed.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './bootstrap/dependencies.mjs';
import { bringEngine } from './bootstrap/engine.mjs';
import { holdLock } from './bootstrap/lock.mjs';
import { SetupError, say } from './bootstrap/progress.mjs';
import { runProgram } from './bootstrap/run.mjs';
import { buildSensorIfChanged } from './bootstrap/sensor.mjs';
import { bringSystemPackages } from './bootstrap/system.mjs';

const OLDEST_NODE = 18;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @returns {{ file: string, args: string[], development: boolean } | undefined} undefined: set up only */
function parse(argv) {
  if (argv[0] === '--setup') return undefined;
  if (argv[0] !== '--run') return { file: join(root, 'cli/src/main.ts'), args: argv, development: false };
  const file = argv[1];
  if (file === undefined) throw new SetupError('--run needs a file: node tools/bootstrap.mjs --run FILE ARGS…');
  if (!existsSync(join(root, file))) throw new SetupError(`there is no ${file} in ${root}`);
  return { file: join(root, file), args: argv.slice(2), development: true };
}

const TESTS = join(root, 'tools/test.ts');
const CHAOS = join(root, 'test/chaos/fleet/chaos.ts');
const GUESTS = ['test/kernels/kernels.ts', 'test/recordings/record.ts'].map((file) => join(root, file));

/** What the program needs of the system, by role. */
function rolesOf(program) {
  const roles = ['sensor', 'run'];
  if (program === undefined || program.development) roles.push('tests');
  const fleet = program?.args[0] === 'dev' && program.args[1] === 'fleet';
  if (program?.file === TESTS || program?.file === CHAOS || fleet) roles.push('servers');
  if (program?.file === TESTS || GUESTS.includes(program?.file)) roles.push('guests');
  return roles;
}

async function setUp(program) {
  const development = program === undefined || program.development;
  // Side by side: one waits for its registry while the other unpacks. Neither is left at work when the lock goes.
  const [dependencies, system] = await Promise.allSettled([
    installDependencies(root, development),
    bringSystemPackages(rolesOf(program)),
  ]);
  for (const { reason } of [dependencies, system]) if (reason !== undefined) throw reason;
  const [node, canBuild] = [dependencies.value, system.value];
  // Side by side: one compiles, the other mostly unpacks.
  await Promise.all([
    canBuild ? buildSensorIfChanged(root, node) : undefined,
    program?.file === TESTS ? bringEngine(root) : undefined,
  ]);
  return node;
}

async function main() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE) {
    throw new SetupError(
      `Node ${process.versions.node} is too old to set Ringfence up; it needs Node ${OLDEST_NODE} or newer`,
    );
  }
  if (process.platform !== 'linux')
    say(`Ringfence watches Linux; on ${process.platform} only commands that read recordings work.`);
  const program = parse(process.argv.slice(2));
  const node = await holdLock(root, () => setUp(program));
  if (program === undefined) return say('Everything is in place.');
  await runProgram(node, program);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`ringfence setup: ${error.message}\n`);
  process.exitCode = 1;
}
