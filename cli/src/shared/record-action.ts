import { loadConfig } from '@ringfence/config';
import { OperatorLog, operatorOfProcess } from '@ringfence/operators';
import type { Command } from 'commander';
import type { LocalAction } from '../actions.ts';
import { flagsOf } from './context.ts';

/**
 * Writes the record of a command to the operator log of this host before the command begins. Rejects with OperatorError
 * when it can't be written: then the command does nothing.
 */
export async function recordAction(command: Command, { action, target, onlyWith }: LocalAction): Promise<void> {
  const options = command.opts<Readonly<Record<string, unknown>>>();
  if (onlyWith !== undefined && options[onlyWith] === undefined) return;
  const { config, reason } = options;
  // Some of these commands have no settings: the log is where the default ones have it.
  const { stateDir } = loadConfig({ file: typeof config === 'string' ? config : undefined, flags: flagsOf(options) });
  const log = new OperatorLog({ stateDir });
  const about = target === undefined ? '' : textOf(options[target]);
  await log.append({ action, target: about, reason: textOf(reason) }, operatorOfProcess());
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
