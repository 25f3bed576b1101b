import { paintFor } from '@ringfence/base';
import { MAX_LISTED } from '@ringfence/runtime/client';
import type { OperatorAction } from '@ringfence/wire';
import { type Command, Option } from 'commander';
import { clientOf, integerOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { durationMs } from '../shared/times.ts';
import { operatorLine } from './view.ts';

interface ListOptions {
  readonly json?: boolean;
  readonly limit: string;
  readonly since?: string;
}

export function addAuditList(audit: Command): void {
  const list = audit
    .command('list')
    .description('list what people asked Ringfence to do: who, from where, what, and why')
    // The other kinds have commands of their own, such as `ringfence alerts`.
    .addOption(new Option('--kind <kind>', 'kind of the records').choices(['operator']).default('operator'))
    .option('--limit <n>', 'maximum number of records', '100')
    .option('--since <duration>', 'only records that are not older: 30s, 10m, 2h, 1d')
    .option('--json', 'print one JSON object per line')
    .addHelpText(
      'after',
      `
A user whom sudo or the client names, not the kernel, is shown as claimed. docs/EVIDENCE.md lists the actions.

Examples:
  ringfence audit list --kind operator
  ringfence audit list --kind operator --since 1d --json | jq -r .action`,
    );
  withSettings(list).action(async (_, self: Command) => {
    const { json, limit, since } = self.opts<ListOptions>();
    const query = new URLSearchParams({ limit: String(integerOf('--limit', limit, 0, MAX_LISTED)) });
    if (since !== undefined) query.set('from', String((Date.now() - durationMs('--since', since)) * 1000));
    const paint = paintFor(process.stdout);
    for await (const action of clientOf(settingsOf(self)).lines<OperatorAction>(`/operators?${query}`)) {
      if (json) printJson(action);
      else print(operatorLine(paint, action));
    }
  });
}
