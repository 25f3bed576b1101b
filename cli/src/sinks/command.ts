import { OperatorError, paintFor, silentLog } from '@ringfence/base';
import { renderProblem } from '@ringfence/checked-yaml';
import {
  KINDS,
  loadSinkFiles,
  openSink,
  type ReplayProgress,
  type SinkConfig,
  type SinkStatus,
  temporaryTickets,
  testItems,
} from '@ringfence/forwarder';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { actionClientOf, clientOf, print, printJson, settingsOf, withReason, withSettings } from '../shared/context.ts';
import { counted } from '../shared/numbers.ts';
import { progressOn } from '../shared/progress.ts';
import { pastTimeMs } from '../shared/times.ts';
import { configLine, kindLines, sinkLines } from './view.ts';

export function addSinks(program: Command): void {
  const sinks = program.command('sinks').description(DESCRIPTIONS.sinks);
  addList(sinks);
  addCheck(sinks);
  addTest(sinks);
  addReplay(sinks);
  addKinds(sinks);
}

function addList(sinks: Command): void {
  const list = sinks
    .command('list')
    .alias('backlog')
    .description('show what each sink has sent, its backlog, and why it fails')
    .option('--json', 'print the sinks as one JSON array')
    .addHelpText('after', '\nExit codes: 0 all sinks send, 1 a sink fails or has lost records.\n');
  withSettings(list, '--state-dir').action(async (_, self: Command) => {
    const found = await clientOf(settingsOf(self)).json<SinkStatus[]>('/sinks');
    if (self.opts<{ json?: boolean }>().json) printJson(found, 2);
    else print(sinkLines(paintFor(process.stdout), found).join('\n'));
    if (found.some(({ failing, lost }) => failing !== '' || lost > 0)) process.exitCode = 1;
  });
}

function addCheck(sinks: Command): void {
  const check = sinks
    .command('check [file...]')
    .description('check files of sinks, or those of the settings; sends nothing')
    .addHelpText('after', '\nExample:\n  ringfence sinks check /etc/ringfence/sinks\n');
  withSettings(check).action((files: readonly string[], _, self: Command) => {
    for (const config of load(files, self)) print(configLine(paintFor(process.stdout), config));
  });
}

function addTest(sinks: Command): void {
  const test = sinks
    .command('test <name>')
    .description('send a marked test to a sink, and wait until the far side has confirmed it')
    .option('--file <file>', 'file with the sink (default: those of the settings)')
    .addHelpText(
      'after',
      `
Needs no running ringfence. A sink of incidents gets one that is opened and closed at once.

Example:
  ringfence sinks test soc --file /etc/ringfence/sinks/soc.yaml`,
    );
  withReason(withSettings(test)).action(async (name: string, _, self: Command) => {
    const { file } = self.opts<{ file?: string }>();
    const config = sinkNamed(load(file === undefined ? [] : [file], self), name);
    await sendTest(config);
    print(`${paintFor(process.stdout).green('ok')} ${name} has confirmed the test`);
  });
}

async function sendTest(config: SinkConfig): Promise<void> {
  const { name, kind } = config;
  const sink = openSink(config, silentLog);
  const signal = untilInterrupted();
  const tickets = temporaryTickets();
  try {
    for (const item of testItems(kind, '', name)) {
      const [rejection] = await sink.send([item], { signal, tickets });
      if (rejection !== undefined) throw rejection.error;
    }
  } catch (error) {
    throw error instanceof Error ? new OperatorError(error.message, { cause: error }) : error;
  } finally {
    await sink.close();
  }
}

function addReplay(sinks: Command): void {
  const replay = sinks
    .command('replay <name>')
    .description('send the records of a time range to a sink again, with the same ids')
    .requiredOption('--from <time>', 'first time: 2026-11-30T12:00:00Z, or 30s, 10m, 2h, 1d for that long ago')
    .option('--to <time>', 'last time', 'now')
    .option('--json', 'print the counts as one JSON object')
    .addHelpText(
      'after',
      `
Sends beside the sink's own position, which does not move. The times are those at which the bus accepted the records.

Example:
  ringfence sinks replay soc --from 2h`,
    );
  withReason(withSettings(replay, '--state-dir')).action(async (name: string, _, self: Command) => {
    const { from, to, json } = self.opts<{ from: string; to: string; json?: boolean }>();
    const range = new URLSearchParams({
      from: String(pastTimeMs('--from', from) * 1000),
      to: String(pastTimeMs('--to', to) * 1000),
    });
    let last: ReplayProgress = { sent: 0, skipped: 0, refused: 0, refusal: '', failure: '' };
    using progress = progressOn(process.stderr, 'records sent');
    const path = `/replay/${encodeURIComponent(name)}?${range}`;
    for await (const counts of actionClientOf(self).lines<ReplayProgress>(path, untilInterrupted())) {
      last = counts;
      progress.report(counts.sent);
    }
    if (json) printJson(last, 2);
    else print(replayLine(name, last));
    if (last.failure !== '') throw new OperatorError(`the replay ended early: ${last.failure}`);
    if (last.refused > 0) process.exitCode = 1;
  });
}

function replayLine(name: string, { sent, skipped, refused, refusal }: ReplayProgress): string {
  const reasons = refused === 0 ? '' : `; ${counted(refused, 'record')} refused: ${refusal}`;
  return `sent ${counted(sent, 'record')} to ${name}; ${counted(skipped, 'record')} of no interest to it${reasons}`;
}

function addKinds(sinks: Command): void {
  sinks
    .command('kinds')
    .description('list the kinds of sinks; docs/SINKS.md has their settings')
    .action(() => print(kindLines(paintFor(process.stdout), KINDS).join('\n')));
}

/** Throws OperatorError with the place of each mistake. */
function load(files: readonly string[], self: Command): readonly SinkConfig[] {
  const paths = files.length > 0 ? files : settingsOf(self).forwarder.sinks;
  if (paths.length === 0) throw new OperatorError('no file of sinks: name one, or set forwarder.sinks');
  const { items, problems } = loadSinkFiles(paths);
  if (problems.length > 0) throw new OperatorError(problems.map(renderProblem).join('\n'));
  return items;
}

function sinkNamed(configs: readonly SinkConfig[], name: string): SinkConfig {
  const found = configs.find((config) => config.name === name);
  if (found !== undefined) return found;
  throw new OperatorError(
    `no sink is called ${name}; the files have: ${configs.map((config) => config.name).join(', ')}`,
  );
}
