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
    .argument('<files...>', 'rule files or folders of them, in any language that is understood')
    .description('write rules of Falco and Sigma as native ones; exit code 1 when one could not be')
    .option('--output <file>', 'write to this file (default: standard output)')
    .option('--json', 'print one JSON object: the text, and what was said about the sources')
    .addHelpText(
      'after',
      `
Files that use each other's macros and lists are given together. Macros stay macros; lists are written out.
They need not be converted: rules of every language may stand beside each other in detector.rules.

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
    const off = converted.switchedOff === 0 ? '' : ` (${converted.switchedOff} switched off, as before)`;
    process.stderr.write(`${counted(converted.rules.length, 'rule')} converted${off}, ${counted(errors, 'error')}\n`);
  });
}
