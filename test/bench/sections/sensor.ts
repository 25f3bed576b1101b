import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisMissing, startRedis } from '@ringfence/testkit';
import { Agent } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { BenchError } from '../lib/errors.ts';
import { count, mib, percent, percentile, range } from '../lib/figures.ts';
import { LOSSES } from '../lib/ledger.ts';
import { sensorsInKernel } from '../lib/others.ts';
import { FALCO } from '../lib/peer.ts';
import type { LoadMode } from '../lib/programs.ts';
import { measureRecords } from '../lib/records-rate.ts';
import { SyscallFloor } from '../lib/syscall-floor.ts';
import { cpuSeconds, residentBytes } from '../lib/usage.ts';
import { Compile, redisSeconds } from '../lib/workloads.ts';

/** Opens a second of a watched file that must all arrive. */
const WATCHED_RATE = 250_000;
/** What a start, or the load before, has left to be done is not the next one's. */
const SETTLE_MS = 3000;
/** Until the agent's code is compiled for what it gets; and as long without it, since a machine that has long been busy is not as fast as a rested one. */
const WARM_MS = 8000;
/** A start is not idle: what it leaves in the heap is collected within this time. */
const IDLE_AFTER_MS = 25_000;
const FLOOR =
  "kernel's part: × of one system call's two tracepoints switched on with nothing behind them; any sensor that sees results of system calls pays it";
const LAST_CPU = availableParallelism() - 1;

interface Load {
  readonly name: string;
  readonly target: string;
  /** what one operation costs, or the whole load: time, in the unit that `show` expects */
  readonly cost: (context: BenchContext) => Promise<number>;
  readonly show: (cost: number) => string;
  /** the file that is opened is watched */
  readonly watched?: true;
  /** There has been some of it before it is measured: a host's own load does not begin that moment. */
  readonly warm?: true;
  /** What the kernel's own part of it costs is measured too: most of it may be that. */
  readonly floor?: true;
}

interface Cost {
  readonly bare: number[];
  readonly floor: number[];
  readonly seen: number[];
  /** of the agent, of one core */
  readonly cpu: number[];
  dropped: number;
}

const micros = (value: number): string => `${value.toFixed(value < 10 ? 3 : 0)} µs`;
const seconds = (value: number): string => `${value.toFixed(2)} s`;
const secondsOf = ({ options }: BenchContext): number => Math.max(1, options.seconds / 4);

/** The caller's CPU, µs. */
const callerCpu =
  (mode: LoadMode, rate = 0) =>
  async (context: BenchContext): Promise<number> => {
    const { cpu_s, ops } = await context.programs.load(mode, secondsOf(context), rate);
    return (cpu_s / ops) * 1e6;
  };

/** Time, µs, with all that the load consists of on one CPU. */
const timeOn =
  (mode: LoadMode, cpu: number | null) =>
  async (context: BenchContext): Promise<number> =>
    1e6 / (await context.programs.load(mode, secondsOf(context), 0, cpu)).ops_per_s;

/** What the watched programs pay, load by load, and what the agent does meanwhile: `up --only collector` with the filter of all built-in rules. */
export async function sensor(context: BenchContext): Promise<void> {
  const { options, report, programs } = context;
  const missing = redisMissing();
  if (missing !== undefined) throw new BenchError('ERR_BENCH_SETUP', `the sensor's section needs Redis: ${missing}`);
  await using redis = await startRedis();
  const compile = new Compile(programs.directory);
  const all: readonly Load[] = [
    { name: 'open, not watched', target: 'CPU ≤ 1.4, 0 dropped, agent < 10 %', cost: callerCpu('open'), show: micros },
    { name: 'open, watched', target: 'CPU ≤ 1.8', cost: callerCpu('open'), show: micros, watched: true },
    {
      name: `open, watched, ${count(WATCHED_RATE)}/s`,
      target: '0 dropped',
      cost: callerCpu('open', WATCHED_RATE),
      show: micros,
      watched: true,
    },
    { name: 'exec', target: '≤ 1.05, agent ≤ 8 %', cost: timeOn('exec', null), show: micros, warm: true },
    {
      name: 'mixed',
      target: '≤ 1.09 (0.92 × the rate), agent ≤ 25 %',
      cost: timeOn('mixed', null),
      show: micros,
      warm: true,
    },
    {
      name: 'connect + accept + close',
      target: '≤ 1.10',
      cost: timeOn('connect', LAST_CPU),
      show: micros,
      floor: true,
    },
    { name: 'getpid', target: '≤ 1.30', cost: timeOn('getpid', LAST_CPU), show: micros, floor: true },
    { name: 'make -j2', target: '≤ 1.03', cost: () => compile.seconds(), show: seconds },
    { name: 'redis-benchmark', target: '≤ 1.03', cost: () => redisSeconds(redis.port), show: seconds, floor: true },
  ];
  try {
    const loads = chosen(all, options.loads);
    const costs = await measureAll(context, loads);
    report.table({
      title: `what a load costs, ${options.runs} runs (min · median · max; × is the median's ratio to no sensor in turn with it)`,
      columns: ['', 'no sensor', 'up --only collector', '×', "kernel's part", 'agent, of a core', 'dropped', 'target'],
      rows: loads.map((load, i) => row(load, costs[i] as Cost)),
      notes: [FLOOR, ...FALCO.overhead],
    });
    report.figure('loads', Object.fromEntries(loads.map(({ name }, i) => [name, costs[i]])));
  } finally {
    compile.remove();
  }
  if (options.loads.length > 0) return;
  await recordsRate(context);
  await idle(context);
}

function chosen(loads: readonly Load[], texts: readonly string[]): readonly Load[] {
  if (texts.length === 0) return loads;
  const unknown = texts.find((text) => !loads.some(({ name }) => name.includes(text)));
  const names = loads.map(({ name }) => name).join(', ');
  if (unknown !== undefined)
    throw new BenchError('ERR_BENCH_USAGE', `--load ${unknown}: there is none; there are ${names}`);
  return loads.filter(({ name }) => texts.some((text) => name.includes(text)));
}

function row({ name, target, show }: Load, { bare, floor, seen, cpu, dropped }: Cost): string[] {
  const times = (costs: readonly number[]): string => (percentile(costs, 50) / percentile(bare, 50)).toFixed(2);
  return [
    name,
    range(bare, show),
    range(seen, show),
    times(seen),
    floor.length === 0 ? '' : times(floor),
    percent(percentile(cpu, 50)),
    count(dropped),
    target,
  ];
}

async function measureAll(context: BenchContext, loads: readonly Load[]): Promise<Cost[]> {
  const costs = loads.map((): Cost => ({ bare: [], floor: [], seen: [], cpu: [], dropped: 0 }));
  const { options, dir, programs, report } = context;
  const others = sensorsInKernel() ?? 0;
  if (others > 0)
    report.say(`NOT without a sensor: ${others} of other programs watch too, also where it says no sensor`);
  // In turns, so that what else the machine does falls on all of them.
  for (let run = 0; run < options.runs; run++) {
    for (const [i, load] of loads.entries()) {
      const { name, cost, floor } = load;
      report.say(`run ${run + 1} of ${options.runs}, without: ${name}`);
      await settle(context, load);
      costs[i]?.bare.push(await cost(context));
      if (floor !== true) continue;
      using _floor = new SyscallFloor();
      costs[i]?.floor.push(await cost(context));
    }
    for (const watched of [false, true]) {
      const some = loads.filter((load) => (load.watched === true) === watched);
      if (some.length === 0) continue;
      const settings = watched ? [`sensor.watchedPaths=${programs.directory}`] : [];
      await using agent = await Agent.startCollector({ dir, settings });
      for (const load of some) {
        report.say(`run ${run + 1} of ${options.runs}, with: ${load.name}`);
        await measureOne(context, agent, load, costs[loads.indexOf(load)] as Cost);
      }
    }
  }
  return costs;
}

async function settle(context: BenchContext, { cost, warm }: Load): Promise<void> {
  await sleep(SETTLE_MS);
  for (const end = performance.now() + WARM_MS; warm === true && performance.now() < end; ) await cost(context);
}

async function measureOne(context: BenchContext, agent: Agent, load: Load, into: Cost): Promise<void> {
  await settle(context, load);
  const dropped = await lost(agent);
  const cpu = cpuSeconds(agent.pid);
  const begin = performance.now();
  into.seen.push(await load.cost(context));
  into.cpu.push((cpuSeconds(agent.pid) - cpu) / ((performance.now() - begin) / 1000));
  into.dropped += (await lost(agent)) - dropped;
}

async function lost(agent: Agent): Promise<number> {
  const { drops } = await agent.collector();
  return LOSSES.reduce((sum, cause) => sum + (drops[cause] ?? 0), 0);
}

async function recordsRate({ report, programs, options }: BenchContext): Promise<void> {
  const found = await measureRecords(programs.directory, Math.max(2, options.seconds / 4), LAST_CPU);
  report.figure('recordsPerS', found);
  report.table({
    title: 'records of one busy CPU that writes into a ring without end, none lost',
    columns: ['into signed batches', 'target'],
    rows: [[`${count(found)}/s`, '≥ 1,000,000/s']],
  });
}

async function idle({ report, dir, options }: BenchContext): Promise<void> {
  await using agent = await Agent.startCollector({ dir });
  await sleep(IDLE_AFTER_MS);
  const before = cpuSeconds(agent.pid);
  const begin = performance.now();
  await sleep(Math.max(10, options.seconds) * 1000);
  const share = (cpuSeconds(agent.pid) - before) / ((performance.now() - begin) / 1000);
  const rss = residentBytes(agent.pid, 'VmRSS');
  report.figure('idle', { cpuShare: share, rssBytes: rss });
  report.table({
    title: 'up --only collector left alone',
    columns: ['CPU of one core', 'RSS', 'target'],
    rows: [[percent(share), mib(rss), '< 1 %, < 150 MB']],
    notes: [FALCO.idle],
  });
}
