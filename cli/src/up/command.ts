import { takePart } from '@ringfence/runtime/process-role';
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
On a terminal it draws what happens; elsewhere it writes a line for each alert and incident.
Nothing is killed unless a policy says "enforce" for where it happens, or --mode enforce is given.

Examples:
  ringfence up
  ringfence up --only collector,enricher --config /etc/ringfence/agent.yaml
  ringfence up --set sensor.opens=all --set detector.rules=builtin,/etc/ringfence/rules`,
    );
  withSettings(command, '--only', '--state-dir', '--mode', '--log-level').action((_, self: Command) => up(self));
}

/** Loads what this process does and no more: one that has capabilities nothing that it doesn't need. */
async function up(self: Command): Promise<void> {
  const part = takePart();
  const config = settingsOf(self);
  if (part?.name === 'sensor') return (await import('@ringfence/runtime/sensor-process')).runSensor(config, part);
  if (part === null && config.user !== '') return (await import('@ringfence/runtime/launch')).launch(config);
  return (await import('./run.ts')).run(config, part?.link ?? null);
}
