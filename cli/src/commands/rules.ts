import type { Command } from 'commander';
import { addCheck } from './rules/check.ts';
import { addConvert } from './rules/convert.ts';
import { addCoverage } from './rules/coverage.ts';

export function addRules(program: Command): void {
  const rules = program
    .command('rules')
    .description('check, test, explain, convert, draw, measure and begin detection rules')
    .addHelpText(
      'after',
      `
From an idea to a rule that is in force:
  ringfence rules check my-rules/             what is wrong with it, and where
  ringfence rules coverage my-rules/          which ATT&CK techniques it finds
  ringfence rules convert falco_rules.yaml    rules that you have, as native ones

docs/RULES.md teaches the language.`,
    );
  addCheck(rules);
  addConvert(rules);
  addCoverage(rules);
}
