import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Group } from '@ringfence/testkit/sensor';
import { LossCounter, type Losses } from '../floods/losses.ts';
import { type Actions, readSeen, type Seen } from '../floods/seen.ts';
import { Agent } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { BenchError } from '../lib/errors.ts';
import { count, percent } from '../lib/figures.ts';
import { refusalOf } from '../lib/refusal.ts';
import type { Report } from '../lib/report.ts';
import { Squeeze } from '../lib/squeeze.ts';
import { cpuSeconds } from '../lib/usage.ts';

/** The agent's share of a core while a flood runs. */
const SHARE = 0.1;
const ACTIONS_PER_S = 50;
/** Nothing of a flood is deleted from the bus before it is counted. */
const KEEP = ['bus.embedded.maxBytes=16GiB', 'topics.raw.retentionBytes=8GiB'];
/** The default of a host with 4 GiB: a larger ring takes longer to fill. */
const RING = 'sensor.ringSecurityBytes=8MiB';
const ENDLESS = '2000000000';
/** A flood that loses nothing within this time does not fill its ring. */
const FILL_MS = 5000;
/** Time for the agent to report the last losses of a flood: two ticks and the time that it is behind. */
const REPORT_MS = 5000;
const FLOODS: readonly (readonly [name: string, ...actions: readonly string[]])[] = [
  ['executions with an argument of 100 KB', 'spawns'],
  ['executions with a variable of 100 KB', 'environments'],
  ['executions', 'runs'],
  ['forks', 'forks'],
  ['failing mounts, texts of 8 KB', 'mounts'],
  ['failing bpf(2), a path of 4 KB', 'bpf'],
  ['all of these at once', 'spawns', 'environments', 'runs', 'forks', 'mounts', 'bpf'],
];
interface Priority {
  readonly name: string;
  readonly command: readonly string[];
  /** Processes that flood at the same time by each action: at real-time priority one core is left to the others */
  readonly loops: number;
}

const CORES = availableParallelism();
const PRIORITIES: readonly Priority[] = [
  { name: 'nice 19', command: ['nice', '-n', '19'], loops: CORES },
  { name: 'real-time', command: ['chrt', '--fifo', '1'], loops: Math.max(1, CORES - 1) },
];

interface Played {
  readonly flood: string;
  readonly priority: string;
  /** Ids of the cgroups of the flood, where a bystander acts as well, and of the other bystander */
  readonly noisy: bigint;
  readonly quiet: bigint;
  /** Time that the actions took, s */
  readonly seconds: number;
  /** The agent's share of a core meanwhile */
  readonly agent: number;
  /** Losses of the flood's cgroup and of the other bystander's, as the sensor counted them */
  readonly lost: Losses;
  readonly quietLost: Losses;
}

interface Stage {
  readonly agent: Agent;
  readonly squeeze: Squeeze;
  /** Command */
  readonly bystander: readonly string[];
  /** Commands that flood at the same time */
  readonly floods: readonly (readonly string[])[];
}

/** Counts the actions beside a flood, in its cgroup and in another, that an agent with a tenth of a core reports. */
export async function floods(context: BenchContext): Promise<void> {
  const { dir, report, options, programs } = context;
  const actions = Math.round(ACTIONS_PER_S * options.seconds);
  const known = await prepare(dir);
  const settings = [`sensor.watchedPaths=${dir}/secrets`, 'sensor.audit=connect', RING, ...KEEP];
  const start = options.oneProcess ? Agent.start : Agent.startCollector;
  await using agent = await start({ dir, settings });
  const bystander = [programs.path('bystander'), known.secret, String(known.port), String(actions)];
  const played: Played[] = [];
  await using squeeze = new Squeeze(agent.pid);
  for (const { flood, actions: acts, priority } of selectCases(options.loads, report)) {
    const { name, command, loops } = priority;
    const commands = acts.map((action) => [...command, programs.path('flood'), action, '-', ENDLESS]);
    const floods = commands.flatMap((flooding) => Array.from({ length: loops }, () => flooding));
    const result = await play({ agent, squeeze, bystander, floods });
    report.print(`${flood}, ${name}: took ${result.seconds.toFixed(0)} s, ${count(result.lost.all)} dropped`);
    if (result.quietLost.all > 0) report.print(`  the other cgroup lost ${result.quietLost.text}`);
    if (result.lost.all > 0) report.print(`  the flood's cgroup lost ${result.lost.text}`);
    played.push({ flood, priority: name, ...result });
  }
  await agent.stop();
  const seen = await readSeen(
    agent.stateDir,
    played.flatMap(({ noisy, quiet }) => [noisy, quiet]),
    known,
  );
  print(context, played, seen, actions);
}

interface Case {
  readonly flood: string;
  readonly actions: readonly string[];
  readonly priority: Priority;
}

function selectCases(texts: readonly string[], report: Report): readonly Case[] {
  const cases = PRIORITIES.flatMap((priority) => FLOODS.map(([flood, ...actions]) => ({ flood, actions, priority })))
    // Several real-time processes would leave no core to the bystanders.
    .filter(({ actions, priority }) => actions.length === 1 || priority.name !== 'real-time');
  const selected = cases.filter(
    ({ flood, priority }) => texts.length === 0 || texts.some((text) => `${flood}, ${priority.name}`.includes(text)),
  );
  const names = FLOODS.map(([name]) => name).join('; ');
  if (selected.length === 0) throw new BenchError('ERR_BENCH_USAGE', `--load: the floods are ${names}`);
  const refusals = PRIORITIES.map((priority) => ({ priority, reason: refusalOf(priority.command) }));
  for (const { priority, reason } of refusals)
    if (reason !== null) report.print(`no floods at the priority ${priority.name}: ${reason}`);
  return selected.filter(({ priority }) => refusals.some((each) => each.priority === priority && each.reason === null));
}

/** Makes the secret, and returns it with a port that nothing listens on. */
async function prepare(dir: string): Promise<Actions> {
  const secret = join(dir, 'secrets/secret');
  mkdirSync(join(dir, 'secrets'));
  writeFileSync(secret, '');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return { secret, port };
}

/** Plays one flood. */
async function play({ agent, squeeze, bystander, floods }: Stage): Promise<Omit<Played, 'flood' | 'priority'>> {
  await using noisy = new Group();
  await using quiet = new Group();
  using counter = new LossCounter(agent.pinPath);
  squeeze.limit(SHARE);
  for (const flood of floods) noisy.start(...flood);
  for (const begin = performance.now(); counter.lossesOf(noisy.id).all === 0 && performance.now() - begin < FILL_MS; )
    await sleep(50);
  const cpu = cpuSeconds(agent.pid);
  const begin = performance.now();
  await Promise.all([noisy, quiet].map((group) => group.run(...bystander)));
  const seconds = (performance.now() - begin) / 1000;
  const used = (cpuSeconds(agent.pid) - cpu) / seconds;
  await noisy.stop();
  squeeze.limit(null);
  while ((await agent.collector()).pendingBytes.security > 0) await sleep(50);
  await sleep(REPORT_MS);
  return {
    ...{ noisy: noisy.id, quiet: quiet.id, seconds, agent: used },
    ...{ lost: counter.lossesOf(noisy.id), quietLost: counter.lossesOf(quiet.id) },
  };
}

function print(
  { report }: BenchContext,
  played: readonly Played[],
  seen: ReadonlyMap<bigint, Seen>,
  actions: number,
): void {
  report.table({
    title: `records of ${count(actions)} actions, each an execution from memory · an open of a watched file · a connect, beside a flood; the agent has ${percent(SHARE)} of a core`,
    columns: [
      'flood',
      'priority',
      'in another cgroup',
      "in the flood's cgroup",
      'slim execs',
      'kept',
      'slim',
      'dropped',
      'named',
      'ring full',
      'took',
      'agent',
    ],
    rows: played.map(({ flood, priority, noisy, quiet, seconds, agent, lost, quietLost }) => {
      const [own, other] = [noisy, quiet].map((id) => seen.get(id) as Seen) as [Seen, Seen];
      return [
        ...[flood, priority, shown(other), shown(own), count(own.slimExecs + other.slimExecs)],
        ...[own.kept, own.slim, lost.all, own.named, lost.ringFull + quietLost.ringFull].map(count),
        ...[`${seconds.toFixed(0)} s`, percent(agent)],
      ];
    }),
    notes: [
      `kept, slim, dropped: records of the security lane of the flood's cgroup, from the start of the flood; named: the number in its last report`,
      'slim execs: executions among the actions whose arguments were shortened, of both cgroups',
    ],
  });
  for (const { flood, priority, noisy, quiet, lost } of played) {
    const beside = `beside ${flood}, ${priority}`;
    for (const [id, where] of [
      [quiet, 'another cgroup'],
      [noisy, "the flood's cgroup"],
    ] as const) {
      const { execs, opens, connects } = seen.get(id) as Seen;
      if (execs.size < actions || opens < actions || connects < actions)
        report.fail(`actions of ${where} are missing ${beside}`);
    }
    const { named } = seen.get(noisy) as Seen;
    if (named !== lost.all) report.fail(`${count(lost.all)} losses of the flood, but ${count(named)} named, ${beside}`);
  }
}

const shown = ({ execs, opens, connects }: Seen): string => [execs.size, opens, connects].map(count).join(' · ');
