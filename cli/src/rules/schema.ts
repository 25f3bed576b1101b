import { testFileSchema } from '@ringfence/rule-lab';
import { ruleFileSchema } from '@ringfence/rules';
import type { Command } from 'commander';
import { printJson } from '../shared/context.ts';

export function addSchema(rules: Command): void {
  rules
    .command('schema')
    .description('print the JSON Schema of native rule files for editors')
    .option('--tests', 'print the schema of .test.yaml files instead')
    .addHelpText(
      'after',
      `
With this line at the top of a file, editors complete and explain its keys:
  # yaml-language-server: $schema=rules.schema.json

Examples:
  ringfence rules schema > my-rules/rules.schema.json
  ringfence rules schema --tests > my-rules/rule-tests.schema.json`,
    )
    .action(({ tests }: { tests?: boolean }) => printJson(tests ? testFileSchema() : ruleFileSchema(), 2));
}
