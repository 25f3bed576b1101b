#!/usr/bin/env node
/**
 * Installs the requirements of Ringfence (npm dependencies with Node 24, system packages, the sensor), then starts a
 * program under that Node:
 *
 *   node tools/bootstrap.mjs ARGS…              the ringfence command
 *   node tools/bootstrap.mjs --run FILE ARGS…   another program of this repository; for tests, also installs the
 *                                               requirements of the selected test files
 *   node tools/bootstrap.mjs --setup            installs everything except the servers and guests of tests
 *
 * Plain JavaScript without dependencies: it runs under any Node from version 18, before anything is installed.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './bootstrap/dependencies.mjs';
import { installEngine } from './bootstrap/engine.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { ALL_NEEDS, needsOf } from './bootstrap/needs.mjs';
import { printProgress, SetupError } from './bootstrap/progress.mjs';
import { runProgram } from './bootstrap/run.mjs';
import { buildSensorIfChanged } from './bootstrap/sensor.mjs';
import { installSystemPackages } from './bootstrap/system.mjs';
import { parseTestArguments, testPaths } from './bootstrap/test-files.mjs';

const OLDEST_NODE = 18;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @returns {{ file: string, args: string[], development: boolean } | undefined} undefined for a setup without a program
 */
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
/** These programs play attacks and work in sandboxes, which have servers and container engines. */
const SANDBOXES = [
  'packages/rule-corpus/src/procedures/main.ts',
  'packages/rule-corpus/src/noise/main.ts',
  'test/recordings/record.ts',
].map((file) => join(root, file));

const SENSOR = ['clang', 'libbpf', 'sensor'];

/** Returns the needs of the test files that the arguments select: all needs if there is no filter. */
function needsOfTests(argv) {
  let selection;
  try {
    selection = parseTestArguments(argv);
  } catch (error) {
    // The runner reports the wrong argument.
    if (error instanceof TypeError) return [];
    throw error;
  }
  if (selection.list || selection.help) return [];
  return selection.filters.length === 0 ? ALL_NEEDS : needsOf(root, testPaths(root, selection.filters));
}

function needsOfProgram(program) {
  if (program === undefined) return [...SENSOR, 'compiler'];
  const { file, args, development } = program;
  if (file === TESTS) return needsOfTests(args);
  if (development && args.includes('--help')) return [];
  const needs = [...SENSOR];
  if (development) needs.push('compiler');
  if (file === CHAOS || (!development && args[0] === 'dev' && args[1] === 'fleet')) needs.push('servers');
  if (GUESTS.includes(file)) needs.push('guests');
  if (SANDBOXES.includes(file)) needs.push('engine');
  return needs;
}

async function setUp(program) {
  const development = program === undefined || program.development;
  const needs = new Set(needsOfProgram(program));
  // In parallel, because npm waits for the network while apt unpacks. allSettled: neither may outlive the lock.
  const [dependencies, system] = await Promise.allSettled([
    installDependencies(root, development),
    installSystemPackages(needs),
  ]);
  for (const { reason } of [dependencies, system]) if (reason !== undefined) throw reason;
  const [node, canBuild] = [dependencies.value, system.value];
  // In parallel: the sensor build uses the CPU, the engine download mostly the network and the disk.
  await Promise.all([
    needs.has('sensor') && canBuild ? buildSensorIfChanged(root, node) : undefined,
    needs.has('engine') ? installEngine(root) : undefined,
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
    printProgress(`Ringfence watches Linux; on ${process.platform} only commands that read recordings work.`);
  const program = parse(process.argv.slice(2));
  const node = await withLock(root, () => setUp(program));
  if (program === undefined) return printProgress('Everything is in place.');
  await runProgram(node, program);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`ringfence setup: ${error.message}\n`);
  process.exitCode = 1;
}
