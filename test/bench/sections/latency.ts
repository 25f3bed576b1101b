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
import { count, millis, percent, percentile } from '../lib/figures.ts';
import { profilePath } from '../lib/options.ts';
import { waitedSeconds } from '../lib/usage.ts';

const INTERVAL_MS = 47; // not in step with the sensor's poll
/** When `throughput` did not run before: opens per second whose half is the load. */
const OPEN_RATE = 100_000;
/** Opens per second of a host that always does something, and never much. */
const TRICKLE = 3000;
const WARM_UP_MS = 3000;
const ARRIVAL_MS = 5000;
/** The agent looks for new containers with each tick. */
const CONTAINER_KNOWN_MS = 2000;

/** Alerts and kills take turns, so that what else the machine does falls on both. */
const SLICES = 4;

interface Trigger {
  readonly token: string;
  /** ns since the epoch, just before the open */
  readonly opened: bigint;
  /** ns since the epoch, when its alert was read; null: never */
  readonly read: bigint | null;
}

interface Measured {
  /** its name among the figures */
  readonly name: 'idle' | 'trickle' | 'loaded';
  readonly label: string;
  readonly triggers: Trigger[];
  /** ms, of each victim that was killed */
  readonly kills: number[];
  victims: number;
  /** share of the time that the agent's main thread was ready to run and had no core */
  waited: number;
}

/** How long after a system call its alert can be read, and the process that a policy forbids is dead. */
export async function latency(context: BenchContext): Promise<void> {
  const { options, report, dir, results } = context;
  const rate = Math.round((results.openRate ?? OPEN_RATE) / 2);
  const bait = mkdtempSync(join(dir, 'bait-'));
  const settings = [...UNFILTERED, ...enforcing(bait)];
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
    rows: [idle, trickle, loaded].map((one) => tell(context, one, onBus, end)),
    notes: [
      FALCO.alert,
      `the last load is half of ${results.openRate === undefined ? count(OPEN_RATE) : 'the highest rate sustained above'}; read: stamp; dead: waitpid; no core: how long the agent was ready to run and others had the cores`,
    ],
  });
}

function tell(
  { report }: BenchContext,
  one: Measured,
  onBus: ReadonlyMap<string, readonly OnBus[]>,
  { lost, collector, responder }: Reading,
): string[] {
  const { name, label, triggers, kills, victims, waited } = one;
  const alerts = triggers.flatMap(({ opened, read }) => (read === null ? [] : [Number(read - opened) / 1e6]));
  const bus = triggers.flatMap((trigger) => {
    const match = onBus.get(trigger.token)?.find(({ event }) => Math.abs(event - Number(trigger.opened) / 1e3) < 1e5);
    return match === undefined ? [] : [(match.taken - Number(trigger.opened) / 1e3) / 1e3];
  });
  const figures = { alertOnBus: summary(bus), alertRead: summary(alerts), victimDead: summary(kills) };
  report.figure(name, figures);
  if (alerts.length < triggers.length)
    report.fail(`${label}: ${triggers.length - alerts.length} of ${triggers.length} alerts did not come`);
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
    shares(bus),
    shares(alerts),
    count(kills.length),
    shares(kills),
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
    if (load !== undefined) await stop(load);
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
    await stop(stamp);
  }
}

const tokenIn = (line: string): string | undefined => /trigger-\d{6}/.exec(line)?.[0];

/** µs since the epoch */
interface OnBus {
  readonly event: number;
  /** when the bus took the alert */
  readonly taken: number;
}

/** Of every trigger's alert, by token. */
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

/** ms, of each victim that was killed */
async function killTimes(
  { programs }: Pick<BenchContext, 'programs'>,
  cage: string,
  bait: string,
  times: number,
): Promise<number[]> {
  const lines = await programs.lines('victim', [String(times), String(INTERVAL_MS), cage, join(bait, 'bait')]);
  return lines.filter((line) => line !== 'alive').map((line) => Number(line) / 1e6);
}

/** A cgroup for the victims, which the agent knows as a container: from its description, and since the first victim was in it. */
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

/** A rule that wants the victims killed, and a policy that allows it in their cgroup only. */
function enforcing(bait: string): string[] {
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
  };
  // YAML holds JSON.
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

/** The cgroup as the agent learns of containers that no runtime tells it about. */
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

async function stop(child: ChildProcess): Promise<void> {
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

const shares = (times: readonly number[]): string =>
  [50, 99, 100].map((share) => millis(percentile(times, share))).join(' · ');
