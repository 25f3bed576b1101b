import type { CollectorStats } from '@ringfence/collector';
import type { Command } from 'commander';
import type { Status } from '../app/status.ts';
import { CliError } from '../errors.ts';
import { paintFor } from '../view/paint.ts';
import { statsText } from '../view/stats.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from './context.ts';

export function addStats(program: Command): void {
  const command = program
    .command('stats')
    .description('where every event went: seen, filtered, merged, throttled, lost, sent, spooled, delivered')
    .option('--json', 'print the account as one JSON object')
    .addHelpText('after', '\nExamples:\n  ringfence stats\n  ringfence stats --json | jq .kinds');
  withSettings(command).action(async (_, self: Command) => {
    const { services } = await clientOf(settingsOf(self)).json<Status>('/status');
    const collector = services.find(({ name }) => name === 'collector')?.stats as CollectorStats | undefined;
    if (collector === undefined) throw new CliError('the collector does not run in this process: ask where it runs');
    if (self.opts<{ json?: boolean }>().json) return printJson(collector.account, 2);
    print(statsText(collector.account, paintFor(process.stdout)));
  });
}
