import { paintFor } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { statusLines } from './view.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description(DESCRIPTIONS.status)
    .option('--json', 'print one JSON object with every count')
    .addHelpText('after', '\nExamples:\n  ringfence status\n  ringfence status --json | jq .services');
  withSettings(command).action(async (_, self: Command) => {
    const client = clientOf(settingsOf(self));
    const before = await client.json<Status>('/status');
    if (self.opts<{ json?: boolean }>().json) return printJson(before, 2);
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const status = await client.json<Status>('/status');
    print(statusLines(paintFor(process.stdout), status, before, (performance.now() - started) / 1000).join('\n'));
  });
}
