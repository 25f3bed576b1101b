import { playbookFileSchema } from '@ringfence/responder';
import type { Command } from 'commander';
import { printJson } from '../shared/context.ts';

export function addSchema(playbooks: Command): void {
  playbooks
    .command('schema')
    .description('print the JSON Schema of playbook files for editors')
    .option('--tests', 'print the schema of .test.yaml files instead')
    .addHelpText(
      'after',
      `
With this line at the top of a file, editors complete and check its keys:
  # yaml-language-server: $schema=playbooks.schema.json

Examples:
  ringfence playbooks schema > my-playbooks/playbooks.schema.json
  ringfence playbooks schema --tests > my-playbooks/playbook-tests.schema.json`,
    )
    .action(({ tests }: { tests?: boolean }) => printJson(playbookFileSchema(tests ?? false), 2));
}
