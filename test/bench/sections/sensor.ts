import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisMissing, startRedis } from '@ringfence/dev-servers';
import { Agent } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { BenchError } from '../lib/errors.ts';
import { FALCO } from '../lib/falco.ts';
import { count, mib, percent, percentile, sumOf } from '../lib/figures.ts';
import { Hooks } from '../lib/hooks.ts';
import { type Idle, idleNode, idleOf } from '../lib/idle.ts';
import { LOSSES } from '../lib/ledger.ts';
import { type Cost, type WatchedLoad, watchedLoads } from '../lib/loads.ts';
import { profilePath } from '../lib/options.ts';
import { measureRecords } from '../lib/records-rate.ts';
import { medianOf, ratios, Slices } from '../lib/slices.ts';
import { cpuSeconds, sensorsInKernel } from '../lib/usage.ts';
import { Compile } from '../lib/workloads.ts';

/**
 * Before each measurement the agent must use less than this share of a core, so that work left from the start or from
 * the previous load (a log checkpoint, a garbage collection) does not count.
 */
const SETTLED_SHARE = 0.1;
const SETTLE_MS = 300;
const SETTLE_ATTEMPTS = 30;
/** Warm-up with each load, until V8 has compiled the agent's code for it; the compiler shares the agent's core. */
const WARM_S = 15;
/** Duration of the load that shows the agent's CPU share and losses. The rings hide losses for under a second. */
const STEADY_S = 10;
/** A shorter slice would not contain a tick of the agent. */
const SLICE_S = 1;
/** Time after which the garbage of the agent's start is collected */
const IDLE_AFTER_MS = 25_000;
/** Fifteen ticks */
const IDLE_S = 30;
const NOTES: readonly string[] = [
  `before the first round each load ran for ${WARM_S} s: the agent takes more CPU until its code is compiled`,
  `agent: its share of a core during ${STEADY_S} s more of the load, without a pause; dropped: in that time and in the rounds`,
  'ratio of each slice to the mean of the slices without a sensor before and after it: median (confidence interval, 95 % from 6 rounds on)',
  "kernel's part: programs that do nothing on the same hooks; every sensor on these hooks pays it",
  "programs: the sensor in the kernel, including the kernel's part, while the agent is suspended",
  'with nothing to read: the agent under the same load without a sensor, when it only has ticks',
];
/** `--load` value that selects the idle measurement alone */
const IDLE = 'idle';
const LAST_CPU = availableParallelism() - 1;

/** In the order of a round: no sensor, empty programs on its hooks, sensor with suspended agent, sensor and agent */
type State = 'bare' | 'empty' | 'suspended' | 'watched';

interface Measured {
  readonly costs: Readonly<Record<State, Cost[]>>;
  /** The agent's CPU time and the wall time, s: under the steady load, and under the load without a sensor */
  readonly agent: Readonly<Record<'steady' | 'bare', { cpu: number; time: number }>>;
  dropped: number;
}

/** Measures the cost of each load under `up --only collector` with the built-in rules' filter, and the agent's cost. */
export async function sensor(context: BenchContext): Promise<void> {
  const { loads } = context.options;
  const texts = loads.filter((text) => text !== IDLE);
  if (texts.length > 0 || loads.length === 0) await underLoad(context, texts);
  if (loads.length === 0) await recordsRate(context);
  if (texts.length < loads.length || loads.length === 0) await idle(context);
}

async function underLoad(context: BenchContext, texts: readonly string[]): Promise<void> {
  const { options, report, programs, dir } = context;
  const missing = redisMissing();
  if (missing !== undefined) throw new BenchError('ERR_BENCH_SETUP', `the section sensor needs Redis: ${missing}`);
  await using redis = await startRedis();
  const compile = new Compile(programs.directory);
  const watched = join(dir, 'watched');
  const sibling = join(dir, 'words');
  for (const path of [watched, sibling]) mkdirSync(path);
  const environment = {
    programs,
    watched,
    sibling,
    compile,
    redisPort: redis.port,
    seconds: Math.max(SLICE_S, options.seconds / 8),
  };
  try {
    const loads = selectLoads(watchedLoads(environment), texts);
    const slices = new Slices();
    const measured = await measureAll(context, loads, watched, slices);
    report.table({
      title: `cost of each load, ${options.runs} rounds, × its cost without a sensor`,
      columns: [
        '',
        'no sensor',
        'up --only collector',
        'CPU',
        "kernel's part",
        'programs',
        'agent',
        'with nothing to read',
        'dropped',
        'target',
      ],
      rows: loads.map((load, i) => row(load, measured[i] as Measured)),
      notes: [`${slices.repeated} slices repeated because of stolen CPU time`, ...NOTES, ...FALCO.overhead],
    });
    report.figure('loads', Object.fromEntries(loads.map(({ name }, i) => [name, measured[i]])));
  } finally {
    compile.remove();
  }
}

function selectLoads(loads: readonly WatchedLoad[], texts: readonly string[]): readonly WatchedLoad[] {
  if (texts.length === 0) return loads;
  const unknown = texts.find((text) => !loads.some(({ name }) => name.includes(text)));
  const names = loads.map(({ name }) => name).join(', ');
  if (unknown !== undefined)
    throw new BenchError(
      'ERR_BENCH_USAGE',
      `--load ${unknown}: no load has this in its name; the loads are ${names}, ${IDLE}`,
    );
  return loads.filter(({ name }) => texts.some((text) => name.includes(text)));
}

function row({ name, target, by, show }: WatchedLoad, { costs, agent, dropped }: Measured): string[] {
  const costsOf = (state: State, key: keyof Cost): number[] => costs[state].map((cost) => cost[key]);
  const times = (state: State, key: keyof Cost): string => {
    const all = ratios(costsOf(state, key), costsOf('bare', key));
    if (all.length === 0 || all.some(Number.isNaN)) return '';
    const { median, from, to } = medianOf(all);
    return `${median.toFixed(3)} (${from.toFixed(2)}–${to.toFixed(2)})`;
  };
  return [
    name,
    show(percentile(costsOf('bare', by), 50)),
    times('watched', by),
    by === 'cpu' ? '' : times('watched', 'cpu'),
    times('empty', by),
    times('suspended', by),
    percent(agent.steady.cpu / agent.steady.time),
    percent(agent.bare.cpu / agent.bare.time),
    count(dropped),
    target,
  ];
}

async function measureAll(
  context: BenchContext,
  loads: readonly WatchedLoad[],
  watched: string,
  slices: Slices,
): Promise<Measured[]> {
  const { options, dir, report } = context;
  const foreignSensors = sensorsInKernel() ?? 0;
  if (foreignSensors > 0)
    report.print(`NOT without a sensor: ${foreignSensors} other sensors in the kernel, also where it says no sensor`);
  const measured = loads.map(
    (): Measured => ({
      costs: { bare: [], empty: [], suspended: [], watched: [] },
      agent: { steady: { cpu: 0, time: 0 }, bare: { cpu: 0, time: 0 } },
      dropped: 0,
    }),
  );
  await using agent = await Agent.startCollector({
    dir,
    settings: [`sensor.watchedPaths=${watched}`],
    profile: profilePath(options, 'sensor'),
  });
  using hooks = Hooks.takeFrom(agent.pinPath);
  using empty = await hooks.createEmpty(dir);
  const round = new Round(agent, loads, measured, slices);
  hooks.attach();
  await round.steady();
  hooks.detach();
  for (let number = 1; number <= options.runs; number++) {
    report.print(`round ${number} of ${options.runs}`);
    await round.all('bare');
    empty.attach();
    await round.all('empty');
    empty.detach();
    hooks.attach();
    await round.suspended();
    await round.watched();
    hooks.detach();
  }
  await round.all('bare');
  return measured;
}

/** Runs the loads one after another, in one state. */
class Round {
  readonly #agent: Agent;
  readonly #loads: readonly WatchedLoad[];
  readonly #measured: readonly Measured[];
  readonly #slices: Slices;

  constructor(agent: Agent, loads: readonly WatchedLoad[], measured: readonly Measured[], slices: Slices) {
    this.#agent = agent;
    this.#loads = loads;
    this.#measured = measured;
    this.#slices = slices;
  }

  /** Runs each load without a pause: first to warm the agent up, then to measure it. */
  async steady(): Promise<void> {
    for (const [i, { run }] of this.#loads.entries()) {
      const measured = this.#measured[i] as Measured;
      await repeat(run, WARM_S);
      const dropped = await lostBy(this.#agent);
      const { cpu, time } = await this.#withAgentCpu(() => repeat(run, STEADY_S));
      measured.dropped += (await lostBy(this.#agent)) - dropped;
      measured.agent.steady.cpu += cpu;
      measured.agent.steady.time += time;
    }
  }

  async all(state: State): Promise<void> {
    for (const [i, load] of this.#loads.entries()) await this.#measure(state, load, this.#measured[i] as Measured);
  }

  async suspended(): Promise<void> {
    for (const [i, load] of this.#loads.entries()) {
      if (load.floods === true) continue;
      this.#agent.suspend(true);
      await this.#measure('suspended', load, this.#measured[i] as Measured);
      this.#agent.suspend(false);
    }
  }

  async watched(): Promise<void> {
    for (const [i, load] of this.#loads.entries()) {
      const measured = this.#measured[i] as Measured;
      const dropped = await lostBy(this.#agent);
      await this.#measure('watched', load, measured);
      measured.dropped += (await lostBy(this.#agent)) - dropped;
    }
  }

  async #measure(state: State, { run }: WatchedLoad, measured: Measured): Promise<void> {
    await this.#settle();
    const { result, cpu, time } = await this.#slices.take(() => this.#withAgentCpu(run));
    measured.costs[state].push(result);
    if (state !== 'bare') return;
    measured.agent.bare.cpu += cpu;
    measured.agent.bare.time += time;
  }

  /** Runs a load, and returns its result with the agent's CPU time and the wall time, s. */
  async #withAgentCpu<T>(
    run: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly cpu: number; readonly time: number }> {
    const cpu = cpuSeconds(this.#agent.pid);
    const begin = performance.now();
    const result = await run();
    return { result, cpu: cpuSeconds(this.#agent.pid) - cpu, time: (performance.now() - begin) / 1000 };
  }

  /** Waits until the agent is nearly idle. */
  async #settle(): Promise<void> {
    for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
      const before = cpuSeconds(this.#agent.pid);
      await sleep(SETTLE_MS);
      if (cpuSeconds(this.#agent.pid) - before < (SETTLED_SHARE * SETTLE_MS) / 1000) return;
    }
  }
}

async function repeat(run: () => Promise<unknown>, seconds: number): Promise<void> {
  for (const begin = performance.now(); performance.now() - begin < seconds * 1000; ) await run();
}

async function lostBy(agent: Agent): Promise<number> {
  const { drops } = await agent.collector();
  return sumOf(LOSSES.map((cause) => drops[cause] ?? 0));
}

async function recordsRate({ report, programs, options }: BenchContext): Promise<void> {
  const rate = await measureRecords(programs.directory, Math.max(2, options.seconds / 4), LAST_CPU);
  report.figure('recordsPerS', rate);
  report.table({
    title: 'records from a ring that one busy CPU fills without end, none lost',
    columns: ['into signed batches', 'target'],
    rows: [[`${count(rate)}/s`, '≥ 1,000,000/s']],
  });
}

const micros = ({ after_rest_us, again_us }: Idle['page']): string =>
  `${after_rest_us.toFixed(2)} (${again_us.toFixed(3)}) µs`;

async function idle({ report, dir, options, programs }: BenchContext): Promise<void> {
  const seconds = Math.max(IDLE_S, options.seconds);
  const node = await idleNode(seconds, programs);
  await using agent = await Agent.startCollector({ dir });
  await sleep(IDLE_AFTER_MS);
  const collector = await idleOf(agent.pid, seconds, programs, () => Hooks.takeFrom(agent.pinPath)[Symbol.dispose]());
  report.figure('idle', { agent: collector, node });
  const row = (name: string, { cpuShare, pages, rssBytes, page }: Idle, target: string): string[] => {
    const isKnown = !Number.isNaN(pages);
    const allPages = isKnown ? percent((pages * page.after_rest_us) / 2e6) : '';
    return [name, percent(cpuShare), isKnown ? count(pages) : '', micros(page), allPages, mib(rssBytes), target];
  };
  report.table({
    title: 'idle',
    columns: [
      '',
      'CPU of one core',
      'pages touched within two seconds',
      'a page takes',
      'all of them',
      'RSS',
      'target',
    ],
    rows: [
      row('up --only collector', collector, '< 1 %, < 150 MB'),
      row('a Node program that wakes once a second and does nothing', node, ''),
    ],
    notes: [
      'a page takes: the time of a C program to read from a page of 4 KiB after a second of rest (and once more), in the same period',
      'the C program reads its own memory, whose place matters on virtual machines: the product of pages and time is a guess',
      FALCO.idle,
    ],
  });
}
