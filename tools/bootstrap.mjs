#!/usr/bin/env node
/**
 * Brings what Ringfence needs (dependencies with Node 24, system packages, the sensor), then runs it under that Node:
 *
 *   node tools/bootstrap.mjs ARGS…              the ringfence command
 *   node tools/bootstrap.mjs --run FILE ARGS…   another program of this repository; of tests, brings what the chosen files need
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
import { ALL_NEEDS, needsOf } from './bootstrap/needs.mjs';
import { SetupError, say } from './bootstrap/progress.mjs';
import { runProgram } from './bootstrap/run.mjs';
import { buildSensorIfChanged } from './bootstrap/sensor.mjs';
import { bringSystemPackages } from './bootstrap/system.mjs';
import { parseTestArguments, testPaths } from './bootstrap/test-files.mjs';

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
const GUESTS = ['test/kernels/kernels.ts', 'rules/recordings/record.ts'].map((file) => join(root, file));

const SENSOR = ['clang', 'libbpf', 'sensor'];

/** Returns the needs of the test files that the arguments select. Without a filter these are all. */
function needsOfTests(argv) {
  let chosen;
  try {
    chosen = parseTestArguments(argv);
  } catch (error) {
    // The runner reports a wrong argument; nothing is needed for that.
    if (error instanceof TypeError) return [];
    throw error;
  }
  if (chosen.list) return [];
  return chosen.filters.length === 0 ? ALL_NEEDS : needsOf(root, testPaths(root, chosen.filters));
}

function needsOfProgram(program) {
  if (program === undefined) return [...SENSOR, 'compiler'];
  const { file, args, development } = program;
  if (file === TESTS) return needsOfTests(args);
  const needs = [...SENSOR];
  if (development) needs.push('compiler');
  if (file === CHAOS || (!development && args[0] === 'dev' && args[1] === 'fleet')) needs.push('servers');
  if (GUESTS.includes(file)) needs.push('guests');
  return needs;
}

async function setUp(program) {
  const development = program === undefined || program.development;
  const needs = new Set(needsOfProgram(program));
  // Side by side: one waits for its registry while the other unpacks. Neither is left at work when the lock goes.
  const [dependencies, system] = await Promise.allSettled([
    installDependencies(root, development),
    bringSystemPackages(needs),
  ]);
  for (const { reason } of [dependencies, system]) if (reason !== undefined) throw reason;
  const [node, canBuild] = [dependencies.value, system.value];
  // Side by side: one compiles, the other mostly unpacks.
  await Promise.all([
    needs.has('sensor') && canBuild ? buildSensorIfChanged(root, node) : undefined,
    needs.has('engine') ? bringEngine(root) : undefined,
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
