import { existsSync } from 'node:fs';
import { type Paint, paintFor } from '@ringfence/base';
import { readSources, type WitnessedRule, witnessesOf, witnessTests } from '@ringfence/rule-lab';
import { escapeText } from '@ringfence/wire';
import type { Command } from 'commander';
import { print, printJson, repeatable, settingsOf, withSettings } from '../shared/context.ts';
import { progressOn } from '../shared/progress.ts';

interface WitnessOptions {
  readonly json?: boolean;
  readonly rules?: readonly string[];
}

export function addWitness(rules: Command): void {
  const command = rules
    .command('witness')
    .argument('<rule>', 'name of a rule, or a rule file or folder: all rules in it')
    .description('show events that a rule matches, as a rule test; exit code 1 if there are none')
    .option('--rules <path>', 'rule file or folder in addition to the configured rules (repeatable)', repeatable)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
A witness was played: signed, enriched and matched like the events of the sensor. If no event can match a rule, it shows
the parts of the condition that exclude each other.

Examples:
  ringfence rules witness "Password hashes read"
  ringfence rules witness "My rule" --rules my-rules/ > my-rules/my-rule.test.yaml
  ringfence rules witness my-rules/ --json | jq '.rules[] | select(.witness.kind != "witness")'`,
    );
  withSettings(command).action(async (rule: string, _, self: Command) => {
    const { json, rules: paths = [] } = self.opts<WitnessOptions>();
    const isFile = existsSync(rule);
    const sources = await readSources(isFile ? [rule, ...paths] : paths, settingsOf(self));
    using progress = progressOn(process.stderr, 'rules');
    const found = witnessesOf(sources, isFile ? undefined : rule, progress.report);
    if (found.some(({ witness }) => witness.kind !== 'witness')) process.exitCode = 1;
    if (json) printJson({ rules: found }, 2);
    else print(witnessesText(found, paintFor(process.stdout)));
  });
}

/** The tests, below comments on the rules that have none. */
function witnessesText(found: readonly WitnessedRule[], paint: Paint): string {
  const without = found.flatMap(({ rule, witness }) => {
    if (witness.kind === 'witness') return [];
    const verdict =
      witness.kind === 'none' ? 'no event can match it' : 'no event was found, nor a proof that there is none';
    const reasons = witness.reasons.map((reason) => `#   ${escapeText(reason)}`);
    return [`# ${paint.bold(escapeText(rule))}: ${paint.red(verdict)}`, ...reasons];
  });
  return [...without, witnessTests(found)].join('\n').trimEnd();
}
