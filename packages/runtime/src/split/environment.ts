import { existsSync } from 'node:fs';
import type { Config } from '@ringfence/config';

/** Settings of Ringfence, of the locale, and of this program's start. Anything else may hold secrets of the caller. */
const PASSED =
  /^(RINGFENCE_\w+|LC_\w+|LANG|LANGUAGE|TZ|PATH|HOME|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|XDG_(CONFIG_HOME|STATE_HOME|RUNTIME_DIR)|NODE_COMPILE_CACHE|MALLOC_ARENA_MAX)$/;

/** Where the process that a service manager has started reports to it (sd_notify(3)). */
const SERVICE_MANAGER = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];

/** Options of Node that open a debugger or write reports, profiles or snapshots of the heap. */
const REVEALING = /^--(inspect|debug-port|report|diagnostic-dir|heap|cpu-prof|abort-on-uncaught|trace-event|prof)/;

const SYSTEM_FILE = '/etc/ringfence/ringfence.yaml';
const NO_FILE = '/dev/null';

/** Returns the options for Node of both processes. */
export const nodeOptions = (current: readonly string[] = process.execArgv): string[] => [
  ...current.filter((option) => !REVEALING.test(option) && option !== '--disable-sigusr1'),
  '--disable-sigusr1',
];

/**
 * Returns the environment of both processes: the listed variables of this process. Settings whose default depends on
 * the user are set to their current value.
 */
export function processEnvironment(
  { stateDir, runDir }: Pick<Config, 'stateDir' | 'runDir'>,
  isRoot: boolean,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && PASSED.test(entry[0]),
  );
  const ofRoot = {
    // Without this, the processes would look for a settings file in root's home, which they can't enter.
    RINGFENCE_CONFIG: env['RINGFENCE_CONFIG'] || (existsSync(SYSTEM_FILE) ? SYSTEM_FILE : NO_FILE),
    HOME: '/nonexistent',
  };
  return {
    ...Object.fromEntries(passed),
    ...(isRoot ? ofRoot : {}),
    RINGFENCE_STATE_DIR: stateDir,
    RINGFENCE_RUN_DIR: runDir,
  };
}

/** Returns the variables by which the services' process, which becomes the main process, finds the service manager. */
export const serviceManagerEnvironment = (env: NodeJS.ProcessEnv = process.env): Record<string, string> =>
  Object.fromEntries(SERVICE_MANAGER.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
