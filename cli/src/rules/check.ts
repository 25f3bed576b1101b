import { paintFor } from '@ringfence/base';
import { checkRules, readSources } from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/counted.ts';
import { diagnosticsText } from './diagnostics-view.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly alone?: boolean;
}

export function addCheck(rules: Command): void {
  const command = rules
    .command('check')
    .argument('[files...]', 'rule files or folders of them (default: the configured ones)')
    .description('say what is wrong with rules, where, and what to do about it; exit code 1 when something is')
    .option(
      '--strict',
      'exit code 1 for warnings too; warn of rules without a description, a field in the output, or tags',
    )
    .option('--alone', 'without the macros and lists of the configured files')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Errors leave a rule out: syntax, unknown fields and macros, wrong types.
Warnings leave it in: rules that can never match here because no event has all they ask for, rules that another makes
superfluous, macros and lists that nothing uses, ATT&CK ids that don't exist.

Examples:
  ringfence rules check
  ringfence rules check my-rules/ --strict
  ringfence rules check my-rules/web.yaml --json | jq '.diagnostics[] | .file, .line, .message'`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const { json, strict, alone } = self.opts<CheckOptions>();
    const sources = await readSources(files, settingsOf(self), alone);
    const checked = checkRules(sources, { strict: strict ?? false });
    if (checked.errors > 0 || (strict && checked.warnings > 0)) process.exitCode = 1;
    if (json) return printJson(checked, 2);
    const paint = paintFor(process.stdout);
    if (checked.diagnostics.length > 0) print(`${diagnosticsText(checked.diagnostics, sources.sources, paint)}\n`);
    const sum = `${counted(checked.files, 'file')}, ${counted(checked.rules, 'active rule')}: ${counted(checked.errors, 'error')}, ${counted(checked.warnings, 'warning')}`;
    print(checked.errors > 0 ? paint.red(sum) : checked.warnings > 0 ? paint.yellow(sum) : paint.green(sum));
  });
}
