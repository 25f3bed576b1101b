import { OperatorError, paintFor } from '@ringfence/base';
import type { CollectorStats } from '@ringfence/collector';
import { interestsOf, type Status } from '@ringfence/runtime/status';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { interestLines } from '../topology/interests-view.ts';
import { statsText } from './view.ts';

export function addStats(program: Command): void {
  const command = program
    .command('stats')
    .description(DESCRIPTIONS.stats)
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  ringfence stats\n  ringfence stats --json | jq .kinds');
  withSettings(command).action(async (_, self: Command) => {
    const status = await clientOf(settingsOf(self)).json<Status>('/status');
    const collector = status.services.find(({ name }) => name === 'collector')?.stats as CollectorStats | undefined;
    const interests = interestsOf([status]);
    if (collector === undefined && interests === null)
      throw new OperatorError(
        'this ringfence runs neither a collector nor an enricher: run the command on a host where one is running',
      );
    if (self.opts<{ json?: boolean }>().json) {
      const { account, missingHooks, retriedHooks } = collector ?? {};
      return printJson({ ...account, missingHooks, retriedHooks, interests }, 2);
    }
    const paint = paintFor(process.stdout);
    const account = collector === undefined ? [] : [statsText(collector, paint)];
    const hosts = interests === null ? [] : [interestLines(interests, paint).join('\n')];
    print([...account, ...hosts].filter((part) => part !== '').join('\n\n'));
  });
}
