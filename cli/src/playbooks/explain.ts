import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { type ExplainedPart, explainTrigger, type Playbook, stepSentences } from '@ringfence/responder';
import { escapeText } from '@ringfence/wire';
import type { Command } from 'commander';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { candidatesWithId } from './history.ts';
import { problemsText, readPlaybooks } from './sources.ts';

interface ExplainOptions {
  readonly json?: boolean;
  readonly playbooks?: string;
}

/** A process of the alert or incident, with the parts of the trigger. */
interface ExplainedProcess {
  readonly rule: string;
  readonly pid: number;
  readonly executable: string;
  readonly parts: readonly ExplainedPart[];
}

export function addExplain(playbooks: Command): void {
  const command = playbooks
    .command('explain')
    .argument('<playbook>', 'name of the playbook')
    .argument('[id]', 'id of an alert or incident of a running ringfence')
    .description('say what a playbook does; with an id, whether it applies, and which part of its trigger does not')
    .option('--playbooks <path>', 'playbook file or folder instead of the configured ones')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Exit code: 1 if the playbook does not apply to the alert or incident.

Examples:
  ringfence playbooks explain web-shell
  ringfence playbooks explain web-shell inc-0123456789abcdef
  ringfence playbooks explain miner --playbooks my-playbooks/`,
    );
  withSettings(command).action(async (name: string, id: string | undefined, _, self: Command) => {
    const { json, playbooks: path } = self.opts<ExplainOptions>();
    const config = settingsOf(self);
    const read = readPlaybooks(path === undefined ? [] : [path], config);
    const playbook = read.playbooks.find(({ playbook: known }) => known === name);
    if (playbook === undefined) throw notFound(name, problemsText(read.problems));
    const steps = stepSentences(playbook.steps);
    const processes = id === undefined ? [] : explained(playbook, await candidatesWithId(clientOf(config), id));
    if (id !== undefined && !processes.some(applies)) process.exitCode = 1;
    if (json) return printJson({ ...playbook, steps, processes }, 2);
    print([...aboutLines(playbook), ...steps, ...processLines(processes, paintFor(process.stdout))].join('\n'));
  });
}

const notFound = (name: string, problems: string): OperatorError =>
  new OperatorError(
    problems === ''
      ? `there is no playbook '${name}': "ringfence playbooks check --json" lists them`
      : `there is no playbook '${name}' without errors:\n${problems}`,
  );

function explained(
  playbook: Playbook,
  candidates: Awaited<ReturnType<typeof candidatesWithId>>,
): readonly ExplainedProcess[] {
  return candidates.map((candidate) => {
    const { rule, pid, executable } = candidate.target;
    return { rule, pid, executable, parts: explainTrigger(playbook, candidate) };
  });
}

const applies = ({ parts }: ExplainedProcess): boolean => parts.every(({ holds }) => holds);

function aboutLines({ playbook, desc, mode, per, scope, when }: Playbook): string[] {
  const what = mode === 'enforce' ? 'is carried out' : 'is recorded, and nothing is done';
  return [
    `${escapeText(playbook)} (${mode}): each step ${what}; one run for each ${per}`,
    ...(desc === '' ? [] : [`  ${escapeText(desc.trim())}`]),
    `  scope ${JSON.stringify(scope)}`,
    `  when ${JSON.stringify(when)}`,
  ];
}

function processLines(processes: readonly ExplainedProcess[], paint: Paint): string[] {
  return processes.flatMap((each) => [
    `${applies(each) ? paint.green('applies to') : paint.red('does not apply to')} ${escapeText(each.executable)} (pid ${each.pid}), ${escapeText(each.rule)}`,
    ...each.parts.map(
      ({ key, wanted, holds }) => `  ${holds ? paint.green('✓') : paint.red('✗')} ${key}: ${escapeText(wanted)}`,
    ),
  ]);
}
