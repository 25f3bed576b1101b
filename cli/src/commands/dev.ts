import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Status } from '../app/status.ts';
import { type DevFleet, startDevFleet } from '../dev/fleet.ts';
import type { Member } from '../dev/members.ts';
import { CliError } from '../errors.ts';
import { fleetLines, type MemberStatus } from '../view/fleet.ts';
import { LiveView } from '../view/live.ts';
import { type Paint, paintFor } from '../view/paint.ts';
import { print, untilInterrupted } from './context.ts';

interface FleetFlags {
  readonly dir?: string;
  readonly brokers: string;
  readonly copies: string;
  readonly agent: boolean;
}

const REDRAW_MS = 2000;
/** Answers of members that are busy or down are not waited for longer. */
const ANSWER_MS = 1500;

export function addDev(program: Command): void {
  const dev = program.command('dev').description('for those who build and try out');
  dev
    .command('fleet')
    .description('a whole fleet on this machine: Kafka, Redis, Elasticsearch, every service a process of its own')
    .option('--dir <directory>', 'where it is kept (default: a temporary one, removed at the end)')
    .option('--brokers <n>', '1 or 3', '1')
    .option('--copies <n>', 'processes of each service, 1 to 4', '1')
    .option('--no-agent', 'do not watch this machine (watching needs root)')
    .addHelpText(
      'after',
      `
The servers come from containers where an engine answers, else from their own jars and packages, fetched once.
Nothing of the machine is changed; Ctrl-C ends it all.

Examples:
  npm run ringfence -- dev fleet
  npm run ringfence -- dev fleet --brokers 3 --copies 2 --dir /tmp/fleet`,
    )
    .action(async (_, self: Command) => devFleet(self.opts<FleetFlags>()));
}

const numberOf = (flag: string, text: string, allowed: readonly number[]): number => {
  const value = Number(text);
  if (!allowed.includes(value)) throw new CliError(`${flag} ${text}: expected ${allowed.join(', ')}`);
  return value;
};

async function devFleet(flags: FleetFlags): Promise<void> {
  const brokers = numberOf('--brokers', flags.brokers, [1, 3]) as 1 | 3;
  const copies = numberOf('--copies', flags.copies, [1, 2, 3, 4]);
  if (flags.agent && process.getuid?.() !== 0)
    throw new CliError('watching this machine needs root: run it as root, or with --no-agent');
  const signal = untilInterrupted();
  const paint = paintFor(process.stdout);
  using view = new LiveView(process.stdout);
  const directory = flags.dir === undefined ? mkdtempSync(join(tmpdir(), 'ringfence-fleet-')) : resolve(flags.dir);
  using _place = {
    [Symbol.dispose]: () => flags.dir === undefined && rmSync(directory, { recursive: true, force: true }),
  };
  const started = performance.now();
  const onStep = (what: string): void => view.print(paint.dim(`  starting ${what}`));
  view.print(paint.bold('A fleet on this machine'));
  await using fleet = await startDevFleet({ directory, brokers, copies, agent: flags.agent, signal, onStep });
  if (flags.agent) shareContainers(fleet);
  const seconds = Math.round((performance.now() - started) / 1000);
  view.print(`${paint.green('●')} ${fleet.members.all.length} processes are up after ${seconds} s; Ctrl-C stops them.`);
  for (const line of hints(fleet, paint, directory)) view.print(line);
  await show(fleet, view, paint, signal);
  view.draw([]);
  print(paint.dim('stopping: the services, then the servers…'));
}

function hints({ servers, members }: DevFleet, paint: Paint, directory: string): string[] {
  const auditor = members.all.find(({ services }) => services.includes('auditor')) as Member;
  const line = (what: string, text: string): string => `  ${paint.dim(what.padEnd(14))} ${text}`;
  return [
    line('Kafka', servers.kafka.bootstrap.join(', ')),
    line('Elasticsearch', servers.search.url),
    line('settings, logs', `${directory}/<member>/ringfence.yaml, log`),
    line('an attack', `npm run ringfence -- demo --config ${auditor.configFile}`),
    line('topology', `npm run ringfence -- topology --config ${directory}/admin/ringfence.yaml`),
  ];
}

/** The demo asks the auditor, and names its container to the agent: both look at one directory. */
function shareContainers({ members }: DevFleet): void {
  const agent = members.all.find(({ services }) => services.includes('collector'));
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

async function show({ members }: DevFleet, view: LiveView, paint: Paint, signal: AbortSignal): Promise<void> {
  let before: readonly MemberStatus[] = [];
  let at = performance.now();
  while (!signal.aborted) {
    const now = await Promise.all(members.all.map(statusOf));
    const elapsed = (performance.now() - at) / 1000;
    at = performance.now();
    view.draw(fleetLines(paint, now, before, elapsed));
    before = now;
    await sleep(REDRAW_MS, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
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
