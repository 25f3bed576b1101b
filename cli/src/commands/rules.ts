import type { Command } from 'commander';
import { addCheck } from './rules/check.ts';
import { addConvert } from './rules/convert.ts';
import { addCoverage } from './rules/coverage.ts';
import { addTest } from './rules/test.ts';

export function addRules(program: Command): void {
  const rules = program
    .command('rules')
    .description('check, test, explain, convert, draw, measure and begin detection rules')
    .addHelpText(
      'after',
      `
From an idea to a rule that is in force:
  ringfence rules check my-rules/             what is wrong with it, and where
  ringfence rules test my-rules/ --watch      whether it fires, and where it must not
  ringfence rules coverage my-rules/          which ATT&CK techniques it finds
  ringfence rules convert falco_rules.yaml    rules that you have, as native ones

docs/RULES.md teaches the language.`,
    );
  addCheck(rules);
  addTest(rules);
  addConvert(rules);
  addCoverage(rules);
}
