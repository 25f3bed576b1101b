import { OperatorError, paintFor } from '@ringfence/base';
import { checkProbes, type ProbeStatus, readProbeFiles, tracepointFields, usualType } from '@ringfence/collector';
import type { Status } from '@ringfence/runtime/status';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { checkLines, fieldLine, probeLines } from './view.ts';

const json = (self: Command): boolean => self.opts<{ json?: boolean }>().json === true;

export function addProbes(program: Command): void {
  const probes = program.command('probes').description(DESCRIPTIONS.probes);
  addList(probes);
  addCheck(probes);
  addFields(probes);
}

function addList(probes: Command): void {
  const list = probes
    .command('list')
    .description('list the probes of a running ringfence: where they are set, how often they fired, what was dropped')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExit code 1 when one is not set.\n\nExamples:\n  ringfence probes list\n  ringfence probes list --json | jq .probes',
    );
  withSettings(list).action(async (_, self: Command) => {
    const { services } = await clientOf(settingsOf(self)).json<Status>('/status');
    const collector = services.find(({ name }) => name === 'collector');
    if (collector === undefined)
      throw new OperatorError('the collector does not run in this process: ask where it runs');
    const { probes: found } = collector.stats as { readonly probes: readonly ProbeStatus[] };
    if (json(self)) printJson({ probes: found }, 2);
    else print(probeLines(found, paintFor(process.stdout)).join('\n'));
    if (found.some(({ problem }) => problem !== '')) process.exitCode = 1;
  });
}

function addCheck(probes: Command): void {
  const check = probes
    .command('check [files...]')
    .description('say whether probes could be set on this host; without files: those of collector.probes.custom')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nNothing is set, and no agent has to run. Exit code 1 when one could not be set.\n\nExamples:\n  ringfence probes check nginx.yaml\n  ringfence probes check /etc/ringfence/probes.d',
    );
  withSettings(check).action((files: readonly string[], _, self: Command) => {
    const { collector } = settingsOf(self);
    const paths = files.length > 0 ? files : collector.probes.custom;
    if (paths.length === 0) throw new OperatorError('give files, or set collector.probes.custom: docs/PROBES.md');
    const found = checkProbes(readProbeFiles(paths), collector.hostRoot);
    if (json(self)) printJson({ probes: found }, 2);
    else print(found.flatMap((one) => checkLines(one, paintFor(process.stdout))).join('\n'));
    if (found.some(({ problem }) => problem !== '')) process.exitCode = 1;
  });
}

function addFields(probes: Command): void {
  const fields = probes
    .command('fields <tracepoint>')
    .description(
      "list a tracepoint's fields, and the type that each most likely has for a probe: sched/sched_process_exec",
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nNeeds root, and tracefs. The kernel lists its tracepoints in /sys/kernel/tracing/available_events.\n\nExamples:\n  ringfence probes fields sched/sched_process_exec\n  ringfence probes fields syscalls/sys_enter_openat',
    );
  withSettings(fields).action((name: string, _, self: Command) => {
    const [, category = '', event = ''] = /^(\w{1,100})[/:](\w{1,100})$/.exec(name) ?? [];
    if (event === '') throw new OperatorError(`${name}: expected category/name, such as sched/sched_process_exec`);
    const found = tracepointFields({ category, name: event });
    if (json(self)) printJson({ fields: found.map((field) => ({ ...field, type: usualType(field) })) }, 2);
    else print(found.map(fieldLine).join('\n'));
  });
}
