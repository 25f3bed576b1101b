import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedReader } from '@ringfence/bus';
import { cgroupRoot } from '@ringfence/simulator/demo';
import { decode, TOPIC } from '@ringfence/wire';
import { Agent, type Reading, UNFILTERED } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { FALCO } from '../lib/falco.ts';
import { count, latencies, percent, percentile } from '../lib/figures.ts';
import { profilePath } from '../lib/options.ts';
import { waitedSeconds } from '../lib/usage.ts';

/** Prime, so that the triggers do not keep in step with the sensor's poll */
const INTERVAL_MS = 47;
/** Sustained opens per second that are assumed when the section throughput did not run */
const DEFAULT_OPEN_RATE = 100_000;
/** Opens per second of a host with steady light load */
const TRICKLE = 3000;
const WARM_UP_MS = 3000;
const ARRIVAL_MS = 5000;
/** Time until the agent knows a new container; it looks for them at each tick */
const CONTAINER_KNOWN_MS = 2000;

/** Alerts and kills are measured in turns, so that other load on the machine affects both alike. */
const SLICES = 4;

interface Trigger {
  readonly token: string;
  /** Time just before the open, ns since the epoch */
  readonly opened: bigint;
  /** Time at which the alert was read, ns since the epoch; null if the alert never came */
  readonly read: bigint | null;
}

interface Measured {
  /** Name among the figures */
  readonly name: 'idle' | 'trickle' | 'loaded';
  readonly label: string;
  readonly triggers: Trigger[];
  /** Time until each killed victim was dead, ms */
  readonly kills: number[];
  victims: number;
  /** Share of the time in which the agent's main thread was ready to run but had no core */
  waited: number;
}

/** Measures the time from a system call until its alert can be read, and until a process to be killed is dead. */
export async function latency(context: BenchContext): Promise<void> {
  const { options, report, dir, results } = context;
  const rate = Math.round((results.openRate ?? DEFAULT_OPEN_RATE) / 2);
  const bait = mkdtempSync(join(dir, 'bait-'));
  const settings = [...UNFILTERED, ...enforcementSettings(bait)];
  await using agent = await Agent.start({ dir, settings, profile: profilePath(options, 'latency') });
  await using cage = await makeCage(context, agent, bait);
  const idle = await measure(context, agent, cage.path, bait, 'idle', 0);
  const trickle = await measure(context, agent, cage.path, bait, 'trickle', TRICKLE);
  const loaded = await measure(context, agent, cage.path, bait, 'loaded', rate);
  const end = await agent.read();
  await agent.stop();
  const onBus = await busTimes(agent.stateDir);
  report.table({
    title: 'ms from just before the open (p50 · p99 · max)',
    columns: [
      'load',
      'alerts',
      'alert on the bus',
      'alert read from the api socket',
      'kills',
      'victim dead',
      'no core',
    ],
    rows: [idle, trickle, loaded].map((measured) => reportRow(context, measured, onBus, end)),
    notes: [
      FALCO.alert,
      `the last load is half of ${results.openRate === undefined ? count(DEFAULT_OPEN_RATE) : 'the highest rate sustained above'}; read: by stamp; dead: by waitpid; no core: the share of time in which the agent was ready to run but had no core`,
    ],
  });
}

function reportRow(
  { report }: BenchContext,
  measured: Measured,
  onBus: ReadonlyMap<string, readonly OnBus[]>,
  { lost, collector, responder }: Reading,
): string[] {
  const { name, label, triggers, kills, victims, waited } = measured;
  const alerts = triggers.flatMap(({ opened, read }) => (read === null ? [] : [Number(read - opened) / 1e6]));
  const bus = triggers.flatMap((trigger) => {
    const match = onBus.get(trigger.token)?.find(({ event }) => Math.abs(event - Number(trigger.opened) / 1e3) < 1e5);
    return match === undefined ? [] : [(match.taken - Number(trigger.opened) / 1e3) / 1e3];
  });
  const figures = { alertOnBus: summary(bus), alertRead: summary(alerts), victimDead: summary(kills) };
  report.figure(name, figures);
  if (alerts.length < triggers.length)
    report.fail(`${label}: ${triggers.length - alerts.length} of ${triggers.length} alerts did not arrive`);
  if (kills.length < victims) {
    const facts = JSON.stringify({
      lost,
      executed: collector.commands,
      ordered: responder.commands,
      refusals: responder.refusals,
    });
    report.fail(`${label}: ${victims - kills.length} of ${victims} victims were not killed: ${facts}`);
  }
  return [
    label,
    count(alerts.length),
    latencies(bus),
    latencies(alerts),
    count(kills.length),
    latencies(kills),
    percent(waited),
  ];
}

async function measure(
  context: BenchContext,
  agent: Agent,
  cage: string,
  bait: string,
  name: Measured['name'],
  rate: number,
): Promise<Measured> {
  await agent.drain();
  const times = Math.max(5, Math.round((context.options.seconds * 1000) / 2 / (INTERVAL_MS + 5) / SLICES));
  const label = rate === 0 ? 'idle' : `${count(rate)} opens/s`;
  const measured: Measured = { name, label, triggers: [], kills: [], victims: 0, waited: 0 };
  const load = rate === 0 ? undefined : startLoad(context.programs.path('load'), rate, agent.stateDir);
  try {
    await sleep(WARM_UP_MS);
    const begin = performance.now();
    const before = waitedSeconds(agent.pid);
    for (let slice = 0; slice < SLICES; slice++) {
      measured.triggers.push(...(await trigger(context, agent, times)));
      const kills = await killTimes(context, cage, bait, times);
      measured.kills.push(...kills);
      measured.victims += times;
      if (kills.length === 0) break;
    }
    measured.waited = (waitedSeconds(agent.pid) - before) / ((performance.now() - begin) / 1000);
    return measured;
  } finally {
    if (load !== undefined) await kill(load);
  }
}

async function trigger({ programs }: BenchContext, agent: Agent, times: number): Promise<Trigger[]> {
  const stamp = spawn(programs.path('stamp'), [agent.socket, '/alerts?follow=1&limit=0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen = new Map<string, bigint>();
  createInterface({ input: stamp.stdout }).on('line', (line) => {
    const token = tokenIn(line);
    if (token !== undefined && !seen.has(token)) seen.set(token, BigInt(line.slice(0, line.indexOf('\t'))));
  });
  try {
    await sleep(300);
    const lines = await programs.lines('trigger', [String(times), String(INTERVAL_MS)]);
    for (let waited = 0; waited < ARRIVAL_MS && seen.size < times; waited += 50) await sleep(50);
    return lines.map((line) => {
      const [token = '', opened = '0'] = line.split(' ');
      return { token, opened: BigInt(opened), read: seen.get(token) ?? null };
    });
  } finally {
    await kill(stamp);
  }
}

const tokenIn = (line: string): string | undefined => /trigger-\d{6}/.exec(line)?.[0];

/** Times of an alert, µs since the epoch */
interface OnBus {
  readonly event: number;
  /** Time at which the bus took the alert */
  readonly taken: number;
}

/** Returns the times of the triggers' alerts, by token. */
async function busTimes(stateDir: string): Promise<ReadonlyMap<string, readonly OnBus[]>> {
  await using reader = await openEmbeddedReader({ path: join(stateDir, 'bus.db') });
  const times = new Map<string, OnBus[]>();
  for await (const { value, timestamp } of reader.read({ topic: TOPIC.alerts })) {
    if (value === null) continue;
    const alert = decode('Alert', value);
    const token = tokenIn(alert.output);
    if (token === undefined) continue;
    times.set(token, [...(times.get(token) ?? []), { event: alert.timestamp, taken: timestamp }]);
  }
  return times;
}

/** Starts victims, and returns how long it took until each killed victim was dead, ms. */
async function killTimes(
  { programs }: Pick<BenchContext, 'programs'>,
  cage: string,
  bait: string,
  times: number,
): Promise<number[]> {
  const lines = await programs.lines('victim', [String(times), String(INTERVAL_MS), cage, join(bait, 'bait')]);
  return lines.filter((line) => line !== 'alive').map((line) => Number(line) / 1e6);
}

/** Makes a cgroup for the victims and starts one in it, so that the agent knows the cgroup as a described container. */
async function makeCage(
  context: BenchContext,
  agent: Agent,
  bait: string,
): Promise<{ path: string } & AsyncDisposable> {
  const name = `ringfence-bench-${process.pid}`;
  const path = join(cgroupRoot(), name);
  mkdirSync(path);
  const cage = { path, [Symbol.asyncDispose]: () => removeCgroup(path) };
  try {
    describeContainer(agent.runDir, name);
    await sleep(CONTAINER_KNOWN_MS);
    await killTimes(context, path, bait, 1);
    return cage;
  } catch (error) {
    await removeCgroup(path);
    throw error;
  }
}

/** Writes a rule that kills the victims and a policy that allows it in their cgroup only. Returns the settings. */
function enforcementSettings(bait: string): string[] {
  writeFileSync(join(bait, 'bait'), 'bait\n');
  const rule = {
    rule: 'Bench bait opened',
    desc: 'The bait of the bench was opened.',
    condition: `event.action = open and file.path = ${join(bait, 'bait')}`,
    output: '%process.executable opened %file.path',
    priority: 'critical',
    tags: ['collection', 'T1005'],
    action: 'kill',
  };
  const policy = {
    policy: 'bench',
    desc: 'Kills the victims of the bench.',
    mode: 'enforce',
    scope: { cgroup: '/ringfence-bench-*' },
    when: { action: 'kill' },
    do: 'kill',
    reach: 'tree',
  };
  // JSON is valid YAML.
  writeFileSync(join(bait, 'rule.yaml'), JSON.stringify([rule]));
  writeFileSync(join(bait, 'policy.yaml'), JSON.stringify(policy));
  return [
    `detector.rules=builtin,${join(bait, 'rule.yaml')}`,
    `responder.policies=${join(bait, 'policy.yaml')}`,
    'responder.killsPerMinutePerHost=10000',
    'responder.killsPerMinute=100000',
    'collector.killsPerMinute=6000',
  ];
}

/** Describes the cgroup in a file, as for containers without a runtime that the agent knows. */
function describeContainer(runDir: string, name: string): void {
  const dir = join(runDir, 'containers.d');
  mkdirSync(dir, { recursive: true });
  const container = {
    id: name,
    name,
    image: 'ringfence/bench',
    runtime: 'ringfence-bench',
    privileged: false,
    labels: {},
  };
  writeFileSync(join(dir, `${name}.json`), JSON.stringify({ cgroupPath: `/${name}`, ...container }));
}

function startLoad(path: string, rate: number, dir: string): ChildProcess {
  return spawn(path, ['open', '3600', String(rate), dir], { stdio: 'ignore' });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function removeCgroup(path: string): Promise<void> {
  for (let waited = 0; ; waited += 20) {
    try {
      return rmdirSync(path);
    } catch (error) {
      // Dead processes leave the cgroup a moment after they are reaped.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || waited > 5000) throw error;
      await sleep(20);
    }
  }
}

const summary = (times: readonly number[]) => ({
  count: times.length,
  p50: percentile(times, 50),
  p99: percentile(times, 99),
  max: percentile(times, 100),
});
