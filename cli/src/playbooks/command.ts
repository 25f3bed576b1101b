import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { addCheck } from './check.ts';
import { addExplain } from './explain.ts';
import { addSchema } from './schema.ts';
import { addSimulate } from './simulate.ts';
import { addTest } from './test.ts';

export function addPlaybooks(program: Command): void {
  const playbooks = program
    .command('playbooks')
    .description(DESCRIPTIONS.playbooks)
    .addHelpText(
      'after',
      `
A playbook is a file:

  playbook: miner
  mode: observe                  # record what would be done; enforce does it
  scope: { cgroup: /docker/* }
  when: { rules: [Connection to a port of mining pools] }
  steps:
    - do: suspend
      for: 30m
    - do: collect
      parameters: { what: process }
      on_failure: continue
    - wait: 2m
      if: suspend.outcome = executed
      do: kill
      approve: 1

From a file to production:
  ringfence playbooks check my-playbooks/        find errors
  ringfence playbooks test my-playbooks/         run its test tables
  ringfence playbooks explain miner              say what it does
  ringfence playbooks simulate --since 7d        what it would have done to whom

docs/PLAYBOOKS.md documents the language.`,
    );
  addCheck(playbooks);
  addTest(playbooks);
  addExplain(playbooks);
  addSchema(playbooks);
  addSimulate(playbooks);
}
