import { jsonText, OperatorError } from '@ringfence/base';
import { type Config, type Flag, loadConfig, NAMED_FLAGS, type NamedFlag, parseSet, socketOf } from '@ringfence/config';
import { ApiClient } from '@ringfence/runtime/client';
import type { Command } from 'commander';

/** Adds the options of a command that reads settings: --config, --set, and the named flags that affect this command. */
export function withSettings(command: Command, ...named: readonly NamedFlag[]): Command {
  command.option(
    '--config <file>',
    'settings file (default: RINGFENCE_CONFIG, else /etc/ringfence/ringfence.yaml for root and ~/.config/ringfence/ringfence.yaml for other users)',
  );
  for (const { flag, value, doc } of NAMED_FLAGS) if (named.includes(flag)) command.option(`${flag} <${value}>`, doc);
  return command.option('--set <key=value>', 'any setting of docs/CONFIGURATION.md (repeatable)', repeatable);
}

/** Collects the values of a repeatable option. Without a value the option stays undefined. */
export const repeatable = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

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

/** Adds the option of an action that the audit trail records. */
export const withReason = (command: Command): Command =>
  command.option('--reason <text>', 'why: the audit trail keeps it with your user and this command line');

/** Parses the whole number of an option. Throws OperatorError if it is none, or not between `min` and `max`. */
export function integerOf(option: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new OperatorError(`${option} ${text}: expected a number from ${min} to ${max}`);
}

/** The kernel's upper limit of pids, whatever kernel.pid_max is set to. */
export const PID_MAX: number = 2 ** 22;

/** Throws OperatorError unless this user is root. `hint`: how to run the command instead. */
export function requireRoot(action: string, hint: string): void {
  if (process.getuid?.() !== 0) throw new OperatorError(`${action} needs root: ${hint}`);
}

export function clientOf(config: Config): ApiClient {
  return new ApiClient(socketOf(config));
}

/** The client of a command that is an action, which takes the reason with it. */
export function actionClientOf(command: Command): ApiClient {
  return new ApiClient(socketOf(settingsOf(command)), command.opts<{ reason?: string }>().reason);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown, indent = 0): void {
  print(jsonText(value, indent));
}

// A reader that closes the pipe, such as head, ends the command without an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
