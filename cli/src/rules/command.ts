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
import { addWitness } from './witness.ts';

export function addRules(program: Command): void {
  const rules = program
    .command('rules')
    .description(DESCRIPTIONS.rules)
    .addHelpText(
      'after',
      `
From an idea to a rule in production:
  ringfence rules new "Odd shell" --dir my-rules
  ringfence rules check my-rules/              find errors
  ringfence rules test my-rules/ --watch       run its tests
  ringfence rules witness "Odd shell"          show events that it matches
  ringfence rules explain "Odd shell" day.rec  see how each part evaluates
  ringfence rules bench day.rec my-rules/      measure its cost
  ringfence rules coverage my-rules/           list the techniques it detects
  ringfence rules convert falco_rules.yaml     convert Falco or Sigma rules

docs/RULES.md documents the language.`,
    );
  addNew(rules);
  addCheck(rules);
  addTest(rules);
  addWitness(rules);
  addExplain(rules);
  addBench(rules);
  addConvert(rules);
  addCoverage(rules);
  addFields(rules);
  addSchema(rules);
}
