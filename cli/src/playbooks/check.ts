import { paintFor } from '@ringfence/base';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';
import { problemsText, readPlaybooks } from './sources.ts';

export function addCheck(playbooks: Command): void {
  const command = playbooks
    .command('check')
    .argument('[files...]', 'playbook files or folders (default: the configured playbooks, else the built-in ones)')
    .description('report errors in playbooks, with their place and a hint; exit code 1 on errors')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
It reports all errors at once: unknown keys, wrong values, steps and values that a condition or parameter can't name,
and files that another user could change. A running ringfence keeps the playbooks in force until there is no error.

Examples:
  ringfence playbooks check
  ringfence playbooks check my-playbooks/
  ringfence playbooks check my-playbooks/ --json | jq '.problems[] | .file, .line, .message'`,
    );
  withSettings(command).action((files: string[], _, self: Command) => {
    const { playbooks: read, problems } = readPlaybooks(files, settingsOf(self));
    if (problems.length > 0) process.exitCode = 1;
    if (self.opts<{ json?: boolean }>().json)
      return printJson({ playbooks: read.map(({ playbook, mode }) => ({ playbook, mode })), problems }, 2);
    const paint = paintFor(process.stdout);
    if (problems.length > 0) print(`${problemsText(problems)}\n`);
    const enforced = read.filter(({ mode }) => mode === 'enforce').length;
    const total = `${counted(read.length, 'playbook')}, ${enforced} enforced: ${counted(problems.length, 'error')}`;
    print(problems.length > 0 ? paint.red(total) : paint.green(total));
  });
}
