import { paintFor } from '@ringfence/base';
import { checkRules, readSources } from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { progressOn } from '../shared/progress.ts';
import { checkText } from './check-view.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly alone?: boolean;
  readonly all?: boolean;
}

export function addCheck(rules: Command): void {
  const command = rules
    .command('check')
    .argument('[files...]', 'rule files or folders (default: the configured rules)')
    .description('report errors and warnings in rules, with their place and a hint; exit code 1 on errors')
    .option(
      '--strict',
      'exit code 1 on warnings, too; warn of rules without a description, tags, or a field in the output',
    )
    .option('--all', 'show each error and warning: more than 50 are otherwise summed up by their reasons')
    .option('--alone', 'ignore the macros and lists of the configured files')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Errors disable their rule: invalid syntax, unknown fields and macros, wrong types. Warnings do not: rules that no event
can match, because parts of them exclude each other or need what no event has; exceptions that an attacker can use;
sequences that join by host alone; rules that another rule makes redundant; unused macros and lists; unknown ATT&CK ids.

For each rule it looks for a witness: events that were played through the pipeline and that the rule matches.

Examples:
  ringfence rules check
  ringfence rules check my-rules/ --strict
  ringfence rules check my-rules/web.yaml --json | jq '.diagnostics[] | .file, .line, .message'`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const { json, strict, alone, all } = self.opts<CheckOptions>();
    const sources = await readSources(files, settingsOf(self), alone);
    using progress = progressOn(process.stderr, 'rules');
    const checked = checkRules(sources, { strict: strict ?? false, progress: progress.report });
    if (checked.errors > 0 || (strict && checked.warnings > 0)) process.exitCode = 1;
    if (json) return printJson(checked, 2);
    print(checkText(checked, sources.sources, all ?? false, paintFor(process.stdout)));
  });
}
