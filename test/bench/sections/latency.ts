import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupRoot } from '../../../cli/src/demo/sandbox.ts';
import { Agent } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { count, millis, percentile } from '../lib/figures.ts';
import { profilePath } from '../lib/options.ts';
import { FALCO } from '../lib/peer.ts';

const INTERVAL_MS = 47; // not in step with the sensor's poll
/** When `throughput` did not run before: opens per second whose half is the load. */
const OPEN_RATE = 100_000;
const WARM_UP_MS = 3000;
const ARRIVAL_MS = 5000;
/** The agent looks for new containers with each tick. */
const CONTAINER_KNOWN_MS = 2000;

/** How long after a system call its alert can be read, and the process that a policy forbids is dead. */
export async function latency(context: BenchContext): Promise<void> {
  const { options, report, dir, found } = context;
  const rate = Math.round((found.openRate ?? OPEN_RATE) / 2);
  const bait = mkdtempSync(join(dir, 'bait-'));
  const settings = ['sensor.opens=all', ...enforcing(bait)];
  await using agent = await Agent.start({ dir, settings, profile: profilePath(options, 'latency') });
  const rows = [
    await measure(context, agent, bait, 'idle', 0),
    await measure(context, agent, bait, `${count(rate)} opens/s`, rate),
  ];
  report.table({
    title:
      'from just before the open: trigger → alert read from the api socket (stamp), victim → dead by SIGKILL (waitpid)',
    columns: ['load', 'alerts', 'p50', 'p99', 'max', 'kills', 'p50', 'p99', 'max'],
    rows,
    notes: [
      FALCO.alert,
      found.openRate === undefined
        ? `the load is half of ${count(OPEN_RATE)}/s`
        : 'the load is half of the highest rate sustained above',
    ],
  });
}

async function measure(
  context: BenchContext,
  agent: Agent,
  bait: string,
  label: string,
  rate: number,
): Promise<string[]> {
  const { options, programs, report } = context;
  await agent.drain();
  const times = Math.max(20, Math.round((options.seconds * 1000) / 2 / (INTERVAL_MS + 5)));
  // Bounded by far more than it will take; stopped when the measurement is done.
  const load = rate === 0 ? undefined : startLoad(programs.path('load'), rate, agent.stateDir);
  try {
    await sleep(WARM_UP_MS);
    const alerts = await alertTimes(context, agent, times);
    const kills = await killTimes(context, agent, bait, times);
    report.figure(label === 'idle' ? 'idle' : 'loaded', { alerts: summary(alerts), kills: summary(kills) });
    if (alerts.length < times) report.fail(`${label}: ${times - alerts.length} of ${times} alerts did not come`);
    if (kills.length < times) report.fail(`${label}: ${times - kills.length} of ${times} victims were not killed`);
    return [label, ...cells(alerts), ...cells(kills)];
  } finally {
    if (load !== undefined) await stop(load);
  }
}

/** ms, of each trigger. */
async function alertTimes({ programs }: BenchContext, agent: Agent, times: number): Promise<number[]> {
  const stamp = spawn(programs.path('stamp'), [agent.socket, '/alerts?follow=1&limit=0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen = new Map<string, bigint>();
  createInterface({ input: stamp.stdout }).on('line', (line) => {
    const token = /trigger-\d{6}/.exec(line)?.[0];
    if (token !== undefined && !seen.has(token)) seen.set(token, BigInt(line.slice(0, line.indexOf('\t'))));
  });
  try {
    await sleep(300);
    const triggers = await programs.lines('trigger', [String(times), String(INTERVAL_MS)]);
    for (let waited = 0; waited < ARRIVAL_MS && seen.size < times; waited += 50) await sleep(50);
    return triggers.flatMap((line) => {
      const [token = '', opened = '0'] = line.split(' ');
      const read = seen.get(token);
      return read === undefined ? [] : [Number(read - BigInt(opened)) / 1e6];
    });
  } finally {
    await stop(stamp);
  }
}

/** ms, of each victim. */
async function killTimes({ programs }: BenchContext, agent: Agent, bait: string, times: number): Promise<number[]> {
  const name = `ringfence-bench-${process.pid}`;
  const cgroup = join(cgroupRoot(), name);
  mkdirSync(cgroup);
  describeContainer(agent.runDir, name);
  await sleep(CONTAINER_KNOWN_MS);
  try {
    const lines = await programs.lines('victim', [String(times), String(INTERVAL_MS), cgroup, join(bait, 'bait')]);
    return lines.filter((line) => line !== 'alive').map((line) => Number(line) / 1e6);
  } finally {
    await removeCgroup(cgroup);
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

function cells(times: readonly number[]): string[] {
  return [count(times.length), ...[50, 99, 100].map((share) => millis(percentile(times, share)))];
}
