import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SetupError } from './progress.mjs';

/**
 * v8-pool-size: on few cores, the default of four garbage collection threads would compete with the program.
 * use-largepages: a program that wakes once a second spends most of its time on page table walks; Node's code in huge
 * pages reduces them. no-short-builtin-calls: V8 does not copy its built-in functions next to compiled code, which
 * saves 2 MB and keeps them in the huge pages. disable-sigusr1: without it, SIGUSR1 opens a debugger on a local port.
 */
const NODE_FLAGS = [
  '--conditions=@ringfence/source',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=4',
  '--v8-pool-size=1',
  '--use-largepages=silent',
  '--no-short-builtin-calls',
  '--disable-sigusr1',
];
/** Caches sources without their types: stripping the types at each start would take time and 25 MB of memory. */
const COMPILE_CACHE = fileURLToPath(new URL('../../dist/compile-cache', import.meta.url));
/** By default, glibc gives each of the ten threads an arena, and these retain 20 MB of freed memory. */
const MALLOC_SETTINGS = { MALLOC_ARENA_MAX: '2' };
const FORWARDED_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGINT', 'SIGQUIT'];

/** A terminal sends these to the whole foreground group, so forwarding them would deliver them twice. */
const TERMINAL_SIGNALS = new Set(['SIGINT', 'SIGQUIT']);

/** npm changes to the root of the repository, but the command must run in the directory of the user. */
function workingDirectory(development) {
  return development ? process.cwd() : (process.env.INIT_CWD ?? process.cwd());
}

/** Runs the program in the same terminal, forwards signals to it, and exits with its exit code or signal. */
export function runProgram(node, { file, args, development }) {
  const env = { NODE_COMPILE_CACHE: COMPILE_CACHE, ...MALLOC_SETTINGS, ...process.env };
  const child = spawn(node, [...NODE_FLAGS, file, ...args], {
    stdio: 'inherit',
    cwd: workingDirectory(development),
    env,
  });
  const handlers = FORWARDED_SIGNALS.map((signal) => {
    const forward = () => {
      if (!(TERMINAL_SIGNALS.has(signal) && process.stdin.isTTY)) child.kill(signal);
    };
    process.on(signal, forward);
    return () => process.off(signal, forward);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new SetupError(`${node} could not be started: ${error.message}`)));
    child.on('exit', (code, signal) => {
      for (const removeHandler of handlers) removeHandler();
      if (signal !== null) process.kill(process.pid, signal);
      process.exitCode = code ?? 1;
      resolve();
    });
  });
}
