import { writeFile } from 'node:fs/promises';
import { paintFor } from '@ringfence/base';
import { convertRules, readSources } from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';
import { diagnosticsText } from './diagnostics-view.ts';

interface ConvertOptions {
  readonly json?: boolean;
  readonly output?: string;
}

export function addConvert(rules: Command): void {
  const command = rules
    .command('convert')
    .argument('<files...>', 'rule files or folders, in any supported language')
    .description('convert Falco and Sigma rules to native rules; exit code 1 if a rule cannot be converted')
    .option('--output <file>', 'write to this file (default: standard output)')
    .option('--json', 'print one JSON object: the text, and the diagnostics of the sources')
    .addHelpText(
      'after',
      `
Pass files that use each other's macros and lists together. Macros stay macros; lists are expanded.
Conversion is optional: detector.rules may mix rules of all languages.

Examples:
  ringfence rules convert falco_rules.yaml > my-rules/falco.yaml
  ringfence rules convert sigma/linux/ --output my-rules/sigma.yaml
  ringfence rules check my-rules/`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const { json, output } = self.opts<ConvertOptions>();
    const { sources } = await readSources(files, settingsOf(self), true);
    const converted = convertRules(sources);
    const errors = converted.diagnostics.filter(({ severity }) => severity === 'error').length;
    if (errors > 0) process.exitCode = 1;
    if (output !== undefined) await writeFile(output, converted.text);
    if (json) return printJson(converted, 2);
    if (output === undefined) process.stdout.write(converted.text);
    const paint = paintFor(process.stderr);
    if (converted.diagnostics.length > 0)
      process.stderr.write(`${diagnosticsText(converted.diagnostics, sources, paint)}\n\n`);
    const off = converted.switchedOff === 0 ? '' : ` (${converted.switchedOff} of them disabled in the source)`;
    process.stderr.write(`${counted(converted.rules.length, 'rule')} converted${off}, ${counted(errors, 'error')}\n`);
  });
}
