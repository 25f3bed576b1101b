import { writeFile } from 'node:fs/promises';
import { OperatorError, paintFor } from '@ringfence/base';
import { compileDetectorRules } from '@ringfence/detector';
import {
  ATTACK_VERSIONS,
  type AttackVersion,
  coverageOf,
  coveragePage,
  navigatorLayer,
  readSources,
} from '@ringfence/rule-lab';
import type { Command } from 'commander';
import { print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { coverageText } from './coverage-view.ts';
import { skippedRulesText } from './diagnostics-view.ts';

interface CoverageOptions {
  readonly json?: boolean;
  readonly covered?: boolean;
  readonly gaps?: boolean;
  readonly html?: string;
  readonly navigator?: string;
  readonly attack: string;
}

export function addCoverage(rules: Command): void {
  const command = rules
    .command('coverage')
    .argument('[files...]', 'rule files or folders (default: the configured rules)')
    .description(
      'show which ATT&CK techniques the rules detect: in the terminal, as a page, or as an ATT&CK Navigator layer',
    )
    .option('--covered', 'list the techniques that have rules, with the rules')
    .option('--gaps', 'list the techniques that have no rule')
    .option('--html <file>', 'write the matrix with the rules of each technique as an HTML page')
    .option('--navigator <file>', 'write a layer for ATT&CK Navigator 4.9 or 5')
    .option('--attack <version>', `ATT&CK version of the layer: ${ATTACK_VERSIONS.join(' or ')}`, ATTACK_VERSIONS[0])
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
The tags of a rule name what it detects: [persistence, T1053.003]. An id of ATT&CK v18 counts under the id that
replaced it.

Examples:
  ringfence rules coverage
  ringfence rules coverage --gaps | grep -A20 Persistence
  ringfence rules coverage --html coverage.html --navigator layer.json`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const options = self.opts<CoverageOptions>();
    const version = versionOf(options.attack);
    const { sources, asked } = await readSources(files, settingsOf(self));
    const set = compileDetectorRules(sources, 'hunt');
    process.stderr.write(skippedRulesText(set.diagnostics, asked));
    const coverage = coverageOf(set.rules.filter(({ file }) => asked.has(file)));
    if (options.html !== undefined) await writeReport(options.html, coveragePage(coverage));
    if (options.navigator !== undefined)
      await writeReport(options.navigator, `${JSON.stringify(navigatorLayer(coverage, version), null, 2)}\n`);
    if (options.json) return printJson(coverage, 2);
    if (options.html !== undefined || options.navigator !== undefined) return;
    const details = options.gaps ? 'gaps' : options.covered ? 'covered' : 'none';
    print(coverageText(coverage, details, paintFor(process.stdout)));
  });
}

function versionOf(text: string): AttackVersion {
  const found = ATTACK_VERSIONS.find((version) => version === text);
  if (found === undefined) throw new OperatorError(`--attack ${text}: expected ${ATTACK_VERSIONS.join(' or ')}`);
  return found;
}

async function writeReport(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  process.stderr.write(`${path} written\n`);
}
