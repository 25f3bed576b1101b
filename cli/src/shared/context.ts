import { jsonText, OperatorError } from '@ringfence/base';
import { type Config, type Flag, loadConfig, NAMED_FLAGS, type NamedFlag, parseSet, socketOf } from '@ringfence/config';
import { ApiClient } from '@ringfence/runtime/client';
import type { Command } from 'commander';

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

/** What an option says that takes a whole number. Throws OperatorError. */
export function numberOf(option: string, text: string, low: number, high: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= low && number <= high) return number;
  throw new OperatorError(`${option} ${text}: expected a number from ${low} to ${high}`);
}

/** What the kernel numbers processes up to, whatever is set. */
export const PID_MAX: number = 2 ** 22;

/** `what` that only root may do; `instead`: what to call. Throws OperatorError. */
export function needRoot(what: string, instead: string): void {
  if (process.getuid?.() !== 0) throw new OperatorError(`${what} needs root: ${instead}`);
}

export function clientOf(config: Config): ApiClient {
  return new ApiClient(socketOf(config));
}

/** Writes a line to stdout; a reader that went away (head) ends the command quietly. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown, indent = 0): void {
  print(jsonText(value, indent));
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
