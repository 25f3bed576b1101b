import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SetupError } from './progress.mjs';

/**
 * One helper thread for collecting garbage: four, on few cores, take what the program itself needs. Node's code in huge pages, where the kernel has some: a program that wakes once a
 * second spends most of its time on finding its memory again. V8's built-in functions stay there, too, instead of being copied next to compiled code: 2 MB less.
 */
const NODE_FLAGS = [
  '--conditions=@ringfence/source',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=4',
  '--v8-pool-size=1',
  '--use-largepages=silent',
  '--no-short-builtin-calls',
];
/** Sources stripped of their types are kept here: a second start needs neither the time nor the 25 MB that stripping takes. */
const COMPILE_CACHE = fileURLToPath(new URL('../../dist/compile-cache', import.meta.url));
/** glibc would give each of the ten threads an arena of its own, which keeps what was freed in it: 20 MB more for nothing. */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGINT', 'SIGQUIT'];

/** A terminal sends these to the whole foreground group: forwarding them too would look like pressing the key twice. */
const FROM_TERMINAL = new Set(['SIGINT', 'SIGQUIT']);

/** npm changes to the root of the repository; the command should see the directory it was typed in. */
function workingDirectory(development) {
  return development ? process.cwd() : (process.env.INIT_CWD ?? process.cwd());
}

/** Runs the program in place of this one: same terminal, same signals, same exit. */
export function runProgram(node, { file, args, development }) {
  const env = { NODE_COMPILE_CACHE: COMPILE_CACHE, ...FEW_ARENAS, ...process.env };
  const child = spawn(node, [...NODE_FLAGS, file, ...args], {
    stdio: 'inherit',
    cwd: workingDirectory(development),
    env,
  });
  const handlers = FORWARDED.map((signal) => {
    const forward = () => {
      if (!(FROM_TERMINAL.has(signal) && process.stdin.isTTY)) child.kill(signal);
    };
    process.on(signal, forward);
    return () => process.off(signal, forward);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new SetupError(`${node} could not be started: ${error.message}`)));
    child.on('exit', (code, signal) => {
      for (const off of handlers) off();
      if (signal !== null) process.kill(process.pid, signal);
      process.exitCode = code ?? 1;
      resolve();
    });
  });
}
