import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { addBench } from './bench.ts';
import { addCheck } from './check.ts';
import { addConvert } from './convert.ts';
import { addCoverage } from './coverage.ts';
import { addExplain } from './explain.ts';
import { addFields } from './fields.ts';
import { addNew } from './new.ts';
import { addSchema } from './schema.ts';
import { addTest } from './test.ts';

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
