import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { durationText, OperatorError, type Paint, paintFor, pause } from '@ringfence/base';
import { untilInterrupted } from '@ringfence/runtime/process';
import type { Status } from '@ringfence/runtime/status';
import type { Incident } from '@ringfence/schema';
import { openRecording } from '@ringfence/schema';
import type { Member } from '@ringfence/simulator';
import { type DevFleet, startDevFleet } from '@ringfence/simulator';
import { DEFAULT_PLACE, openPlace } from '@ringfence/simulator/stack';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { incidentLine } from '../incident/view.ts';
import { needRoot, numberOf, print } from '../shared/context.ts';
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
}

const REDRAW_MS = 2000;
/** Where nothing can be drawn again, a line comes so often. */
const LINE_EVERY_MS = 10_000;
/** Answers of members that are busy or down are not waited for longer. */
const ANSWER_MS = 1500;
/** An incident is told when it has been quiet for so long: by then it has a name. */
const QUIET_MS = 1000;
const ATTACK_EVERY_S = 20;
const MAX_HOSTS = 1000;

export function addDev(program: Command): void {
  const dev = program.command('dev').description(DESCRIPTIONS.dev);
  dev
    .command('fleet')
    .description('run a whole fleet on this machine: Kafka, Redis, Elasticsearch, every service a process of its own')
    .option('--hosts <n>', 'simulated hosts beside this machine', '3')
    .option('--rate <n>', 'events a second of each of them', '50')
    .option('--play <recording>', 'a recording that they play instead, again and again (see ringfence record)')
    .option('--brokers <n>', '1 or 3', '1')
    .option('--copies <n>', 'processes of each service, 1 to 4', '1')
    .option('--no-agent', 'do not watch this machine (watching needs root)')
    .option('--dir <directory>', `keep its files here and leave them (default: ${DEFAULT_PLACE}, removed at the end)`)
    .addHelpText(
      'after',
      `
The servers come from containers where an engine answers, else from their own jars and packages, fetched once.
Simulated hosts have all of an agent but the kernel; every ${ATTACK_EVERY_S} s one of them is attacked. Nothing of the machine is changed; Ctrl-C ends it all.

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
  const copies = numberOf('--copies', flags.copies, 1, 4);
  const simulated = {
    count: numberOf('--hosts', flags.hosts, 0, MAX_HOSTS),
    rate: numberOf('--rate', flags.rate, 1, 100_000),
    play: flags.play === undefined ? null : resolve(flags.play),
    attackEveryS: ATTACK_EVERY_S,
  };
  if (flags.agent) needRoot('watching this machine', 'run it as root, or with --no-agent');
  if (simulated.play !== null) await (await openRecording(simulated.play))[Symbol.asyncDispose]();
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  using place = await openPlace(flags.dir);
  const { directory } = place;
  const started = performance.now();
  const onStep = (what: string): void => view.print(paint.dim(`  starting ${what}`));
  view.print(paint.bold('A fleet on this machine'));
  try {
    await using fleet = await startDevFleet({
      directory,
      brokers,
      copies,
      agent: flags.agent,
      simulated,
      signal,
      onStep,
    });
    if (flags.agent) shareContainers(fleet);
    writeEnvironment(fleet, directory);
    const took = durationText((performance.now() - started) * 1000);
    view.print(`${paint.green('●')} ${fleet.members.all.length} processes are up after ${took}; Ctrl-C stops them.`);
    for (const line of hints(fleet, paint, place.isDefault ? '' : ` ${directory}`, directory)) view.print(line);
    const told = new Set<string>();
    await Promise.all([show(fleet, told, view, paint, signal), tellIncidents(fleet, told, view, paint, signal)]);
    view.draw([]);
    print(paint.dim('stopping: the services, then the servers…'));
  } catch (error) {
    if (!signal.aborted) throw error;
    view.draw([]);
    print(paint.dim('interrupted; nothing is left running'));
  }
}

/** For a shell: `. DIRECTORY/env`. */
function writeEnvironment({ servers }: DevFleet, directory: string): void {
  const { kafka, redis, search } = servers;
  const values = { KAFKA: kafka.bootstrap.join(','), REDIS: redis.url, ELASTICSEARCH: search.url };
  const lines = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(join(directory, 'env'), lines.join(''));
}

function hints({ servers }: DevFleet, paint: Paint, given: string, directory: string): string[] {
  const line = (what: string, text: string): string => `  ${paint.dim(what.padEnd(14))} ${text}`;
  return [
    line('Kafka', servers.kafka.bootstrap.join(', ')),
    line('Elasticsearch', servers.search.url),
    line('settings, logs', `${directory}/<member>/ringfence.yaml, log`),
    line('an attack', `npm run ringfence -- demo --fleet${given}`),
    line('topology', `npm run ringfence -- topology --fleet${given}`),
  ];
}

/** The demo asks the auditor, and names its container to the agent: both look at one directory. */
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

async function show(
  { members }: DevFleet,
  told: ReadonlySet<string>,
  view: LiveView,
  paint: Paint,
  signal: AbortSignal,
): Promise<void> {
  let before: readonly MemberStatus[] = [];
  let at = performance.now();
  let saidAt = at;
  while (!signal.aborted) {
    const now = await Promise.all(members.all.map(statusOf));
    const elapsed = (performance.now() - at) / 1000;
    at = performance.now();
    const summary = fleetSummary(paint, now, before, elapsed, told.size);
    view.draw([summary, ...fleetLines(paint, now, before, elapsed)]);
    if (!view.interactive && at - saidAt > LINE_EVERY_MS) {
      view.print(summary);
      saidAt = at;
    }
    before = now;
    await pause(REDRAW_MS, signal);
  }
}

async function statusOf({ name, pid, client }: Member): Promise<MemberStatus> {
  if (pid === undefined) return { name, state: 'down', status: null };
  try {
    const status = await client.json<Status>('/status', AbortSignal.timeout(ANSWER_MS));
    return { name, state: 'up', status };
  } catch {
    // It is there and says nothing: that is what is shown.
    return { name, state: 'silent', status: null };
  }
}

/** A line for each, as an auditor hears of it; while that one is away nothing is told. */
async function tellIncidents(
  { members }: DevFleet,
  told: Set<string>,
  view: LiveView,
  paint: Paint,
  signal: AbortSignal,
): Promise<void> {
  const auditor = members.all.find(({ services }) => services.includes('auditor'));
  if (auditor === undefined) return;
  const waiting = new Map<string, NodeJS.Timeout>();
  const changed = (incident: Incident): void => {
    if (told.has(incident.id)) return;
    clearTimeout(waiting.get(incident.id));
    const tell = (): void => {
      told.add(incident.id);
      view.print(incidentLine(paint, incident));
    };
    waiting.set(incident.id, setTimeout(tell, QUIET_MS));
  };
  while (!signal.aborted) {
    try {
      for await (const incident of auditor.client.lines<Incident>('/incidents?follow=1&limit=0', signal))
        changed(incident);
    } catch (error) {
      // It is started anew, or somebody has stopped it to see what comes of it.
      if (!(error instanceof OperatorError)) throw error;
    }
    await pause(REDRAW_MS, signal);
  }
  for (const timer of waiting.values()) clearTimeout(timer);
}
