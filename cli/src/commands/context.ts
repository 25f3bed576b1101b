import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, type Flag, loadConfig, NAMED_FLAGS, type NamedFlag, parseSet } from '@ringfence/config';
import type { Command } from 'commander';
import { ApiClient } from '../api/client.ts';
import { CliError } from '../errors.ts';

/** Where the program's own files are: rules, policies, the sensor. */
export const HOME: string = fileURLToPath(new URL('../../../', import.meta.url));

/** The sensor as `tools/build-sensor.ts` makes it for this kernel. */
export const SENSOR_OBJECT: string = built('ringfence.bpf.o');

/** Beside it, what `ringfence trace` loads. */
export const TRACER_OBJECT: string = built('trace.bpf.o');

/** What was built on a machine of another architecture has this one's objects in a folder of their own. */
function built(name: string): string {
  const own = join(HOME, 'dist/sensor', process.arch, name);
  return existsSync(own) ? own : join(HOME, 'dist/sensor', name);
}

export function sensorObject(): string {
  if (existsSync(SENSOR_OBJECT)) return SENSOR_OBJECT;
  throw new CliError(`the sensor is not built (${SENSOR_OBJECT}): run npm start, or node tools/build-sensor.ts`);
}

/** The options that every command which reads settings has, and of the named ones those that have an effect there. */
export function withSettings(command: Command, ...named: readonly NamedFlag[]): Command {
  command.option(
    '--config <file>',
    'settings file (default: RINGFENCE_CONFIG, else as root /etc/ringfence/ringfence.yaml, as another user ~/.config/ringfence/ringfence.yaml)',
  );
  for (const { flag, value, doc } of NAMED_FLAGS) if (named.includes(flag)) command.option(`${flag} <${value}>`, doc);
  return command.option('--set <key=value>', 'any setting, see docs/CONFIGURATION.md (repeatable)', several);
}

/** An option that may be given again and again; without any it is not there. */
export const several = (text: string, all: readonly string[] | undefined): readonly string[] => [...(all ?? []), text];

interface SettingsOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly [name: string]: unknown;
}

export function flagsOf(options: SettingsOptions): Flag[] {
  const named = NAMED_FLAGS.flatMap(({ flag, key }) => {
    const value = options[flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    return typeof value === 'string' ? [{ flag, key, value }] : [];
  });
  return [...named, ...(options.set ?? []).map(parseSet)];
}

export function settingsOf(command: Command): Config {
  const options = command.opts<SettingsOptions>();
  return loadConfig({ file: options.config, flags: flagsOf(options) });
}

/** What an option says that takes a whole number. Throws CliError. */
export function numberOf(option: string, text: string, low: number, high: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= low && number <= high) return number;
  throw new CliError(`${option} ${text}: expected a number from ${low} to ${high}`);
}

/** What the kernel numbers processes up to, whatever is set. */
export const PID_MAX: number = 2 ** 22;

/** `what` that only root may do; `instead`: what to call. Throws CliError. */
export function needRoot(what: string, instead: string): void {
  if (process.getuid?.() !== 0) throw new CliError(`${what} needs root: ${instead}`);
}

export const socketOf = (config: Config): string => join(config.runDir, 'ringfence.sock');

export function clientOf(config: Config): ApiClient {
  return new ApiClient(socketOf(config));
}

/** A service manager signals a whole group, and whoever started this process passes it on too: that is one wish. */
const SAME_WISH_MS = 1000;

/** Aborts at the first Ctrl-C or SIGTERM; a second one, a moment later, ends the process at once. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  let askedAt = Number.POSITIVE_INFINITY;
  const stop = (signal: NodeJS.Signals): void => {
    if (performance.now() - askedAt > SAME_WISH_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
    if (controller.signal.aborted) return;
    askedAt = performance.now();
    controller.abort(signal);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** Writes a line to stdout; a reader that went away (head) ends the command quietly. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What JSON.stringify leaves as it is and a terminal could take for orders, or show in another order. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A value as JSON that is harmless on a terminal: unsafe characters are escaped, which changes no value. */
export function jsonText(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, null, indent);
  return text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function printJson(value: unknown, indent = 0): void {
  print(jsonText(value, indent));
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
