import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { addBench } from './rules/bench.ts';
import { addCheck } from './rules/check.ts';
import { addConvert } from './rules/convert.ts';
import { addCoverage } from './rules/coverage.ts';
import { addExplain } from './rules/explain.ts';
import { addFields } from './rules/fields.ts';
import { addNew } from './rules/new.ts';
import { addSchema } from './rules/schema.ts';
import { addTest } from './rules/test.ts';

export function addRules(program: Command): void {
  const rules = program
    .command('rules')
    .description(DESCRIPTIONS.rules)
    .addHelpText(
      'after',
      `
From an idea to a rule that is in force:
  ringfence rules new "Odd shell" --dir my-rules
  ringfence rules check my-rules/              what is wrong with it, and where
  ringfence rules test my-rules/ --watch       whether it fires where it must
  ringfence rules explain "Odd shell" day.rec  what each part of it comes to
  ringfence rules bench day.rec my-rules/      what it costs
  ringfence rules coverage my-rules/           which techniques it finds
  ringfence rules convert falco_rules.yaml     your rules as native ones

docs/RULES.md teaches the language.`,
    );
  addNew(rules);
  addCheck(rules);
  addTest(rules);
  addExplain(rules);
  addBench(rules);
  addConvert(rules);
  addCoverage(rules);
  addFields(rules);
  addSchema(rules);
}
