import { ignoreDebugSignals, takeProcessRole } from '@ringfence/runtime/process-role';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { settingsOf, withSettings } from '../shared/context.ts';

export function addUp(program: Command): void {
  const command = program
    .command('up')
    .description(DESCRIPTIONS.up)
    .addHelpText(
      'after',
      `
On a terminal it draws a live view; otherwise it prints a line for each alert and incident.
By default it kills nothing: that takes a policy with "enforce" for the affected container or host, or --mode enforce.

Examples:
  ringfence up
  ringfence up --only collector,enricher --config /etc/ringfence/agent.yaml
  ringfence up --set sensor.opens=all --set detector.rules=builtin,/etc/ringfence/rules`,
    );
  withSettings(command, '--only', '--state-dir', '--mode', '--log-level').action((_, self: Command) => up(self));
}

/** Imports lazily, so that each process loads only its own part: above all the process that has capabilities. */
async function up(self: Command): Promise<void> {
  const role = takeProcessRole();
  const config = settingsOf(self);
  if (role?.name === 'sensor') return (await import('@ringfence/runtime/sensor-process')).runSensor(config, role);
  if (role === null && config.user !== '') return (await import('@ringfence/runtime/launch')).launch(config);
  if (role !== null) ignoreDebugSignals();
  return (await import('./run.ts')).run(config, role?.sensor ?? null);
}
