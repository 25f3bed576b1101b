import { paintFor } from '@ringfence/base';
import { checkRules, readSources } from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';
import { diagnosticsText } from './diagnostics-view.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly alone?: boolean;
}

export function addCheck(rules: Command): void {
  const command = rules
    .command('check')
    .argument('[files...]', 'rule files or folders (default: the configured rules)')
    .description('report errors and warnings in rules, with their place and a hint; exit code 1 on errors')
    .option('--strict', 'exit code 1 on warnings, too')
    .option('--alone', 'ignore the macros and lists of the configured files')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Errors disable their rule: invalid syntax, unknown fields and macros, wrong types. Warnings do not: rules that can never
match because no event has all the fields that they need, rules that another rule makes redundant, unused macros and
lists, unknown ATT&CK ids.

Examples:
  ringfence rules check
  ringfence rules check my-rules/ --strict
  ringfence rules check my-rules/web.yaml --json | jq '.diagnostics[] | .file, .line, .message'`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const { json, strict, alone } = self.opts<CheckOptions>();
    const sources = await readSources(files, settingsOf(self), alone);
    const checked = checkRules(sources);
    if (checked.errors > 0 || (strict && checked.warnings > 0)) process.exitCode = 1;
    if (json) return printJson(checked, 2);
    const paint = paintFor(process.stdout);
    if (checked.diagnostics.length > 0) print(`${diagnosticsText(checked.diagnostics, sources.sources, paint)}\n`);
    const scope = `${counted(checked.files, 'file')}, ${counted(checked.rules, 'active rule')}`;
    const summary = `${scope}: ${counted(checked.errors, 'error')}, ${counted(checked.warnings, 'warning')}`;
    const colour = checked.errors > 0 ? 'red' : checked.warnings > 0 ? 'yellow' : 'green';
    print(paint[colour](summary));
  });
}
