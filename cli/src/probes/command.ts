import { OperatorError, paintFor } from '@ringfence/base';
import type { Status } from '@ringfence/runtime/status';
import { checkProbes, type ProbeStatus, readProbeFiles, tracepointFields, usualType } from '@ringfence/sensor';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, withSettings } from '../shared/context.ts';
import { checkLines, fieldLine, probeLines } from './view.ts';

const wantsJson = (self: Command): boolean => self.opts<{ json?: boolean }>().json === true;

export function addProbes(program: Command): void {
  const probes = program.command('probes').description(DESCRIPTIONS.probes);
  addList(probes);
  addCheck(probes);
  addFields(probes);
}

function addList(probes: Command): void {
  const list = probes
    .command('list')
    .description('list the probes of a running ringfence with target, number of hits and dropped events')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Exit code 1 if a probe is not attached.

Examples:
  ringfence probes list
  ringfence probes list --json | jq .probes`,
    );
  withSettings(list).action(async (_, self: Command) => {
    const { services } = await clientOf(settingsOf(self)).json<Status>('/status');
    const collector = services.find(({ name }) => name === 'collector');
    if (collector === undefined)
      throw new OperatorError('this ringfence runs no collector: run the command on a host with an agent');
    const { probes: found } = collector.stats as { readonly probes: readonly ProbeStatus[] };
    if (wantsJson(self)) printJson({ probes: found }, 2);
    else print(probeLines(found, paintFor(process.stdout)).join('\n'));
    if (found.some(({ problem }) => problem !== '')) process.exitCode = 1;
  });
}

function addCheck(probes: Command): void {
  const check = probes
    .command('check [files...]')
    .description('check whether probes can be attached on this host (default: the files of collector.probes.custom)')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Attaches nothing and needs no running agent. Exit code 1 if a probe cannot be attached.

Examples:
  ringfence probes check nginx.yaml
  ringfence probes check /etc/ringfence/probes.d`,
    );
  withSettings(check).action((files: readonly string[], _, self: Command) => {
    const { collector } = settingsOf(self);
    const paths = files.length > 0 ? files : collector.probes.custom;
    if (paths.length === 0)
      throw new OperatorError('no probe files: pass files, or set collector.probes.custom (docs/PROBES.md)');
    const found = checkProbes(readProbeFiles(paths), collector.hostRoot);
    if (wantsJson(self)) printJson({ probes: found }, 2);
    else print(found.flatMap((probe) => checkLines(probe, paintFor(process.stdout))).join('\n'));
    if (found.some(({ problem }) => problem !== '')) process.exitCode = 1;
  });
}

function addFields(probes: Command): void {
  const fields = probes
    .command('fields <tracepoint>')
    .description(
      'list the fields of a tracepoint, such as sched/sched_process_exec, and the likely type of each for a probe',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Needs root and tracefs. /sys/kernel/tracing/available_events lists all tracepoints of the kernel.

Examples:
  ringfence probes fields sched/sched_process_exec
  ringfence probes fields syscalls/sys_enter_openat`,
    );
  withSettings(fields).action((name: string, _, self: Command) => {
    const [, category = '', event = ''] = /^(\w{1,100})[/:](\w{1,100})$/.exec(name) ?? [];
    if (event === '') throw new OperatorError(`${name}: expected category/name, such as sched/sched_process_exec`);
    const found = tracepointFields({ category, name: event });
    if (wantsJson(self)) printJson({ fields: found.map((field) => ({ ...field, type: usualType(field) })) }, 2);
    else print(found.map(fieldLine).join('\n'));
  });
}
