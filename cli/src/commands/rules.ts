import type { Command } from 'commander';
import { addCheck } from './rules/check.ts';

export function addRules(program: Command): void {
  const rules = program
    .command('rules')
    .description('check, test, explain, convert, draw, measure and begin detection rules')
    .addHelpText(
      'after',
      `
From an idea to a rule that is in force:
  ringfence rules check my-rules/             what is wrong with it, and where

docs/RULES.md teaches the language.`,
    );
  addCheck(rules);
}
