import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { durationText, OperatorError, type Paint, paintFor, pause } from '@ringfence/base';
import { renderProblem } from '@ringfence/checked-yaml';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Status } from '@ringfence/runtime/status';
import { type DevFleet, type Member, startDevFleet } from '@ringfence/simulator';
import { DEFAULT_STACK_DIRECTORY, openStackDirectory } from '@ringfence/simulator/stack';
import { type Incident, openRecording } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { incidentLine } from '../incident/view.ts';
import { integerOf, print, requireRoot } from '../shared/context.ts';
import { LiveView } from '../shared/live.ts';
import { fleetLines, fleetSummary, type MemberStatus } from './view.ts';

interface FleetFlags {
  readonly dir?: string;
  readonly brokers: string;
  readonly copies: string;
  readonly hosts: string;
  readonly rate: string;
  readonly play?: string;
  readonly agent: boolean;
  readonly sinks?: string;
}

const REDRAW_MS = 2000;
/** Interval of the summary line where the output is no terminal. */
const SUMMARY_MS = 10_000;
/** Deadline for the status of one member. */
const STATUS_TIMEOUT_MS = 1500;
/** An incident is printed once it has not changed for this long, because its title changes while it grows. */
const QUIET_MS = 1000;
const ATTACK_EVERY_S = 20;
const MAX_HOSTS = 1000;

export function addDev(program: Command): void {
  const dev = program.command('dev').description(DESCRIPTIONS.dev);
  dev
    .command('fleet')
    .description('run a whole fleet on this machine: Kafka, Redis, Elasticsearch, and one process for each service')
    .option('--hosts <n>', 'number of simulated hosts in addition to this machine', '3')
    .option('--rate <n>', 'events per second of each simulated host', '50')
    .option('--play <recording>', 'recording that the simulated hosts replay in a loop instead (see ringfence record)')
    .option('--brokers <n>', 'number of Kafka brokers, 1 or 3', '1')
    .option('--copies <n>', 'number of processes of each service, 1 to 4', '1')
    .option('--sinks <path>', 'file or folder of sinks that get alerts and incidents (see docs/SINKS.md)')
    .option('--no-agent', 'do not watch this machine (watching needs root)')
    .option(
      '--dir <directory>',
      `directory of the files, kept at the end (default: ${DEFAULT_STACK_DIRECTORY}, removed at the end)`,
    )
    .addHelpText(
      'after',
      `
The servers run in containers if a container engine answers, else from their jars and packages, which are downloaded
once. Simulated hosts have all parts of an agent except the kernel; every ${ATTACK_EVERY_S} s one of them is attacked.
The fleet changes nothing else on this machine, and Ctrl-C stops all of it.

Examples:
  npm run ringfence -- dev fleet
  npm run ringfence -- dev fleet --hosts 20 --rate 500 --no-agent
  npm run ringfence -- dev fleet --brokers 3 --copies 2 --dir /tmp/fleet`,
    )
    .action(async (_, self: Command) => devFleet(self.opts<FleetFlags>()));
}

async function devFleet(flags: FleetFlags): Promise<void> {
  const brokers = Number(flags.brokers);
  if (brokers !== 1 && brokers !== 3) throw new OperatorError(`--brokers ${flags.brokers}: expected 1 or 3`);
  const copies = integerOf('--copies', flags.copies, 1, 4);
  const simulated = {
    count: integerOf('--hosts', flags.hosts, 0, MAX_HOSTS),
    rate: integerOf('--rate', flags.rate, 1, 100_000),
    play: flags.play === undefined ? null : resolve(flags.play),
    attackEveryS: ATTACK_EVERY_S,
  };
  if (flags.sinks !== undefined) await checkSinks(resolve(flags.sinks));
  if (flags.agent) requireRoot('watching this machine', 'run the command as root, or with --no-agent');
  if (simulated.play !== null) await (await openRecording(simulated.play))[Symbol.asyncDispose]();
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  using place = await openStackDirectory(flags.dir);
  const { directory } = place;
  const startedAt = performance.now();
  const onStep = (step: string): void => view.print(paint.dim(`  starting ${step}`));
  view.print(paint.bold('A fleet on this machine'));
  try {
    await using fleet = await startDevFleet({
      directory,
      brokers,
      copies,
      agent: flags.agent,
      sinks: flags.sinks === undefined ? [] : [resolve(flags.sinks)],
      simulated,
      signal,
      onStep,
    });
    if (flags.agent) shareContainers(fleet);
    writeEnvironment(fleet, directory);
    const took = durationText((performance.now() - startedAt) * 1000);
    view.print(`${paint.green('●')} ${fleet.members.all.length} processes are up after ${took}; Ctrl-C stops them.`);
    for (const line of hints(fleet, paint, place.isDefault ? '' : ` ${directory}`, directory)) view.print(line);
    const screen: Screen = { view, paint, signal, incidents: new Set() };
    await Promise.all([showStatus(fleet, screen), showIncidents(fleet, screen)]);
    view.draw([]);
    print(paint.dim('stopping the services, then the servers…'));
  } catch (error) {
    if (!signal.aborted) throw error;
    view.draw([]);
    print(paint.dim('interrupted; everything is stopped'));
  }
}

/** Throws OperatorError with the mistakes, before servers are started. */
async function checkSinks(path: string): Promise<void> {
  const { loadSinkFiles } = await import('@ringfence/forwarder');
  const { items, problems } = loadSinkFiles([path]);
  if (problems.length > 0) throw new OperatorError(problems.map(renderProblem).join('\n'));
  if (items.length === 0) throw new OperatorError(`--sinks ${path}: there is no sink`);
}

/** Writes the addresses of the servers for `. DIRECTORY/env` in a shell. */
function writeEnvironment({ servers }: DevFleet, directory: string): void {
  const { kafka, redis, search } = servers;
  const values = { KAFKA: kafka.bootstrap.join(','), REDIS: redis.url, ELASTICSEARCH: search.url };
  const lines = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(join(directory, 'env'), lines.join(''));
}

/** `argument`: of --fleet, empty for the default directory. */
function hints({ servers }: DevFleet, paint: Paint, argument: string, directory: string): string[] {
  const line = (label: string, text: string): string => `  ${paint.dim(label.padEnd(14))} ${text}`;
  return [
    line('Kafka', servers.kafka.bootstrap.join(', ')),
    line('Elasticsearch', servers.search.url),
    line('settings, logs', `${directory}/<member>/ringfence.yaml, log`),
    line('an attack', `npm run ringfence -- demo --fleet${argument}`),
    line('topology', `npm run ringfence -- topology --fleet${argument}`),
  ];
}

/**
 * Links the container directory of every member to that of the agent: the demo runs with the settings of an auditor,
 * and the agent must find the description of the demo's container.
 */
function shareContainers({ members }: DevFleet): void {
  const agent = members.all.find(({ name }) => name === 'agent');
  if (agent === undefined) return;
  const shared = join(agent.directory, 'run/containers.d');
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  for (const member of members.all) {
    const link = join(member.directory, 'run/containers.d');
    if (member === agent) continue;
    rmSync(link, { recursive: true, force: true });
    symlinkSync(shared, link);
  }
}

interface Screen {
  readonly view: LiveView;
  readonly paint: Paint;
  readonly signal: AbortSignal;
  /** Ids of the incidents that were printed. */
  readonly incidents: Set<string>;
}

async function showStatus({ members }: DevFleet, { view, paint, signal, incidents }: Screen): Promise<void> {
  let previous: readonly MemberStatus[] = [];
  let polledAt = performance.now();
  let printedAt = polledAt;
  while (!signal.aborted) {
    const current = await Promise.all(members.all.map(statusOf));
    const seconds = (performance.now() - polledAt) / 1000;
    polledAt = performance.now();
    const summary = fleetSummary(paint, current, previous, seconds, incidents.size);
    view.draw([summary, ...fleetLines(paint, current, previous, seconds)]);
    if (!view.interactive && polledAt - printedAt > SUMMARY_MS) {
      view.print(summary);
      printedAt = polledAt;
    }
    previous = current;
    await pause(REDRAW_MS, signal);
  }
}

async function statusOf({ name, pid, client }: Member): Promise<MemberStatus> {
  if (pid === undefined) return { name, state: 'down', status: null };
  try {
    const status = await client.json<Status>('/status', AbortSignal.timeout(STATUS_TIMEOUT_MS));
    return { name, state: 'up', status };
  } catch {
    return { name, state: 'silent', status: null };
  }
}

/** Prints a line for each incident that the first auditor reports. While that auditor is down, none is printed. */
async function showIncidents({ members }: DevFleet, { view, paint, signal, incidents }: Screen): Promise<void> {
  const auditor = members.all.find(({ services }) => services.includes('auditor'));
  if (auditor === undefined) return;
  const timers = new Map<string, NodeJS.Timeout>();
  const onChange = (incident: Incident): void => {
    if (incidents.has(incident.id)) return;
    clearTimeout(timers.get(incident.id));
    const printOnce = (): void => {
      incidents.add(incident.id);
      view.print(incidentLine(paint, incident));
    };
    timers.set(incident.id, setTimeout(printOnce, QUIET_MS));
  };
  while (!signal.aborted) {
    try {
      for await (const incident of auditor.client.lines<Incident>('/incidents?follow=1&limit=0', signal))
        onChange(incident);
    } catch (error) {
      // The auditor is restarting, or its user stopped it on purpose.
      if (!(error instanceof OperatorError)) throw error;
    }
    await pause(REDRAW_MS, signal);
  }
  for (const timer of timers.values()) clearTimeout(timer);
}
