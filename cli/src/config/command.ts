import { showConfig } from '@ringfence/config';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { flagsOf, print, withSettings } from '../shared/context.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description(DESCRIPTIONS.config);
  const show = config
    .command('show')
    .description('print every setting in force and its source; secrets are masked')
    .addHelpText(
      'after',
      `
Examples:
  ringfence config show
  RINGFENCE_LOG_LEVEL=debug ringfence config show --set sensor.opens=all`,
    );
  withSettings(show, '--only', '--state-dir', '--mode', '--log-level').action((_, self: Command) => {
    const options = self.opts<{ config?: string; set?: string[] }>();
    print(showConfig({ file: options.config, flags: flagsOf(options) }).trimEnd());
  });
}
