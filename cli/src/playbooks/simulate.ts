import { durationText, OperatorError, type Paint, paintFor } from '@ringfence/base';
import { type SimulatedRun, simulate } from '@ringfence/responder';
import { escapeText } from '@ringfence/wire';
import type { Command } from 'commander';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';
import { durationMs } from '../shared/times.ts';
import { type History, historyOf } from './history.ts';
import { problemsText, readPlaybooks } from './sources.ts';

interface SimulateOptions {
  readonly json?: boolean;
  readonly since: string;
}

export function addSimulate(playbooks: Command): void {
  const command = playbooks
    .command('simulate')
    .argument('[files...]', 'playbook files or folders (default: the configured playbooks, else the built-in ones)')
    .description('show what playbooks would have done to whom, on stored alerts and incidents; changes nothing')
    .option('--since <duration>', 'how far back: 30s, 10m, 2h, 7d', '7d')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
It reads the alerts and incidents of a running ringfence. Every action counts as carried out and every approval as
given; limits and protected processes are not known here, so it shows the most that would have been done.

Examples:
  ringfence playbooks simulate --since 7d
  ringfence playbooks simulate my-playbooks/ --since 1d --json | jq '.runs[] | .cause, .executable'`,
    );
  withSettings(command).action(async (files: string[], _, self: Command) => {
    const { json, since } = self.opts<SimulateOptions>();
    const config = settingsOf(self);
    const { playbooks: read, problems } = readPlaybooks(files, config);
    if (problems.length > 0) throw new OperatorError(problemsText(problems));
    const history = await historyOf(clientOf(config), (Date.now() - durationMs('--since', since)) * 1000);
    const runs = simulate(read, history.alerts, history.incidents);
    if (json) printJson({ alerts: history.alerts.length, incidents: history.incidents.length, runs }, 2);
    else print(simulatedLines(runs, history, read.length, paintFor(process.stdout)).join('\n'));
  });
}

function simulatedLines(runs: readonly SimulatedRun[], history: History, playbooks: number, paint: Paint): string[] {
  const seen = `${counted(history.alerts.length, 'alert')} and ${counted(history.incidents.length, 'incident')}`;
  return [
    ...runs.flatMap((run) => [...runLines(run, paint), '']),
    ...(history.isCut ? [paint.yellow('older alerts or incidents were left out: ask for less with --since')] : []),
    `${counted(playbooks, 'playbook')} on ${seen}: ${counted(runs.length, 'run')}; nothing was changed`,
  ];
}

function runLines(run: SimulatedRun, paint: Paint): string[] {
  const { playbook, mode, cause, host, rule, pid, executable, at, steps, end } = run;
  const when = new Date(at / 1000).toISOString();
  return [
    `${when}  ${paint.bold(escapeText(playbook))} (${mode})  ${escapeText(cause)}`,
    `  ${escapeText(executable)} (pid ${pid}) on ${escapeText(host)}: ${escapeText(rule)}`,
    ...steps.map(({ name, afterMs, what, outcome }) => {
      const time = paint.dim(`+${durationText(afterMs * 1000)}`);
      return `    ${escapeText(name)}: ${escapeText(what)}${outcome === 'executed' ? '' : ` (${outcome})`} ${time}`;
    }),
    `    ${end}`,
  ];
}
