import { testFileSchema } from '@ringfence/rule-lab';
import { ruleFileSchema } from '@ringfence/rules';
import type { Command } from 'commander';
import { printJson } from '../shared/context.ts';

export function addSchema(rules: Command): void {
  rules
    .command('schema')
    .description('print the JSON Schema of native rule files, for editors')
    .option('--tests', 'print the one of .test.yaml files')
    .addHelpText(
      'after',
      `
Editors that read schemas complete keys and explain them: put this line at the top of a file.
  # yaml-language-server: $schema=rules.schema.json

Examples:
  ringfence rules schema > my-rules/rules.schema.json
  ringfence rules schema --tests > my-rules/rule-tests.schema.json`,
    )
    .action(({ tests }: { tests?: boolean }) => printJson(tests ? testFileSchema() : ruleFileSchema(), 2));
}
