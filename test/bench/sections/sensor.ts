import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisMissing, startRedis } from '@ringfence/testkit/servers';
import { Agent } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { BenchError } from '../lib/errors.ts';
import { count, mib, percent, percentile } from '../lib/figures.ts';
import { Hooks } from '../lib/hooks.ts';
import { type Idle, idleNode, idleOf } from '../lib/idle.ts';
import { LOSSES } from '../lib/ledger.ts';
import { type Cost, type WatchedLoad, watchedLoads } from '../lib/loads.ts';
import { profilePath } from '../lib/options.ts';
import { sensorsInKernel } from '../lib/others.ts';
import { FALCO } from '../lib/peer.ts';
import { measureRecords } from '../lib/records-rate.ts';
import { medianOf, ratios, Slices } from '../lib/slices.ts';
import { cpuSeconds } from '../lib/usage.ts';
import { Compile } from '../lib/workloads.ts';

/** What a start, or the load before, has left to be done (a log to be folded back, memory to be collected) is not the next one's: the agent takes less than this of a core first. */
const SETTLED = 0.1;
const SETTLE_MS = 300;
const SETTLES = 30;
/** Of each load, before anything counts: until the agent's code is compiled for what it gets, which its compiler shares the agent's core for. */
const WARM_S = 15;
/** Of each load after that, without a pause: what the agent takes, and whether it keeps up, which rings hide for less than a second. */
const STEADY_S = 10;
/** A shorter slice does not have the agent's tick once. */
const SLICE_S = 1;
/** A start is not idle: what it leaves in the heap is collected within this time. */
const IDLE_AFTER_MS = 25_000;
/** Fifteen ticks. */
const IDLE_S = 30;
const NOTES: readonly string[] = [
  `before the first round the agent has had ${WARM_S} s of each load: it takes more until its code is compiled`,
  `agent: what it takes of a core beside ${STEADY_S} s more of the load, without a pause; dropped: in these, and in the rounds`,
  'each slice against the mean of the slices without a sensor before and after it: median of these (in which it lies, with 95 % certainty from 6 rounds on)',
  "kernel's part: programs that do nothing on the same hooks; any sensor that is called at them pays it",
  'programs: the sensor in the kernel, with that part, while the agent is stopped',
  'with nothing to read: the agent beside the same load without a sensor, where all it has are ticks',
];
/** `--load` for none at all */
const IDLE = 'idle';
const LAST_CPU = availableParallelism() - 1;

/** What a load was measured under, in the order of a round: nothing, empty programs on the sensor's hooks, the sensor with its agent stopped, all of it. */
type State = 'bare' | 'empty' | 'stopped' | 'seen';

interface Measured {
  readonly costs: Readonly<Record<State, Cost[]>>;
  /** CPU of the agent, and how long that was, s: beside the load as it goes on and on, and beside it without a sensor */
  readonly agent: Readonly<Record<'steady' | 'bare', { cpu: number; time: number }>>;
  dropped: number;
}

/** What the watched programs pay, load by load, and what the agent does meanwhile: `up --only collector` with the filter of all built-in rules. */
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
  if (missing !== undefined) throw new BenchError('ERR_BENCH_SETUP', `the sensor's section needs Redis: ${missing}`);
  await using redis = await startRedis();
  const compile = new Compile(programs.directory);
  const watched = join(dir, 'watched');
  const beside = join(dir, 'words');
  for (const path of [watched, beside]) mkdirSync(path);
  const place = {
    programs,
    watched,
    beside,
    compile,
    redisPort: redis.port,
    seconds: Math.max(SLICE_S, options.seconds / 8),
  };
  try {
    const loads = chosen(watchedLoads(place), texts);
    const slices = new Slices();
    const measured = await measureAll(context, loads, watched, slices);
    report.table({
      title: `what a load costs, ${options.runs} rounds, × what it costs without a sensor`,
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
      notes: [`${slices.repeated} slices taken again for stolen time`, ...NOTES, ...FALCO.overhead],
    });
    report.figure('loads', Object.fromEntries(loads.map(({ name }, i) => [name, measured[i]])));
  } finally {
    compile.remove();
  }
}

function chosen(loads: readonly WatchedLoad[], texts: readonly string[]): readonly WatchedLoad[] {
  if (texts.length === 0) return loads;
  const unknown = texts.find((text) => !loads.some(({ name }) => name.includes(text)));
  const names = loads.map(({ name }) => name).join(', ');
  if (unknown !== undefined)
    throw new BenchError('ERR_BENCH_USAGE', `--load ${unknown}: there is none; there are ${names}, ${IDLE}`);
  return loads.filter(({ name }) => texts.some((text) => name.includes(text)));
}

function row({ name, target, by, show }: WatchedLoad, { costs, agent, dropped }: Measured): string[] {
  const of = (state: State, what: keyof Cost): number[] => costs[state].map((cost) => cost[what]);
  const times = (state: State, what: keyof Cost): string => {
    const found = ratios(of(state, what), of('bare', what));
    if (found.length === 0 || found.some(Number.isNaN)) return '';
    const { median, from, to } = medianOf(found);
    return `${median.toFixed(3)} (${from.toFixed(2)}–${to.toFixed(2)})`;
  };
  return [
    name,
    show(percentile(of('bare', by), 50)),
    times('seen', by),
    by === 'cpu' ? '' : times('seen', 'cpu'),
    times('empty', by),
    times('stopped', by),
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
  const others = sensorsInKernel() ?? 0;
  if (others > 0)
    report.say(`NOT without a sensor: ${others} of other programs watch too, also where it says no sensor`);
  const measured = loads.map(
    (): Measured => ({
      costs: { bare: [], empty: [], stopped: [], seen: [] },
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
  using empty = await hooks.empty(dir);
  const round = new Round(agent, loads, measured, slices);
  hooks.attach();
  await round.steady();
  hooks.detach();
  for (let number = 1; number <= options.runs; number++) {
    report.say(`round ${number} of ${options.runs}`);
    await round.all('bare');
    empty.attach();
    await round.all('empty');
    empty.detach();
    hooks.attach();
    await round.stopped();
    await round.seen();
    hooks.detach();
  }
  await round.all('bare');
  return measured;
}

/** The loads one after the other, in each of the states. */
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

  /** Each load as it goes on, first until the agent has got used to it. */
  async steady(): Promise<void> {
    for (const [i, { run }] of this.#loads.entries()) {
      const into = this.#measured[i] as Measured;
      await again(run, WARM_S);
      const dropped = await lost(this.#agent);
      const { cpu, time } = await this.#beside(() => again(run, STEADY_S));
      into.dropped += (await lost(this.#agent)) - dropped;
      into.agent.steady.cpu += cpu;
      into.agent.steady.time += time;
    }
  }

  async all(state: State): Promise<void> {
    for (const [i, load] of this.#loads.entries()) await this.#one(state, load, this.#measured[i] as Measured);
  }

  async stopped(): Promise<void> {
    for (const [i, load] of this.#loads.entries()) {
      if (load.floods === true) continue;
      this.#agent.pause(true);
      await this.#one('stopped', load, this.#measured[i] as Measured);
      this.#agent.pause(false);
    }
  }

  async seen(): Promise<void> {
    for (const [i, load] of this.#loads.entries()) {
      const into = this.#measured[i] as Measured;
      const dropped = await lost(this.#agent);
      await this.#one('seen', load, into);
      into.dropped += (await lost(this.#agent)) - dropped;
    }
  }

  async #one(state: State, { run }: WatchedLoad, into: Measured): Promise<void> {
    await this.#settle();
    const { found, cpu, time } = await this.#slices.take(() => this.#beside(run));
    into.costs[state].push(found);
    if (state !== 'bare') return;
    into.agent.bare.cpu += cpu;
    into.agent.bare.time += time;
  }

  /** CPU of the agent, and how long it was, s. */
  async #beside<T>(run: () => Promise<T>): Promise<{ readonly found: T; readonly cpu: number; readonly time: number }> {
    const cpu = cpuSeconds(this.#agent.pid);
    const begin = performance.now();
    const found = await run();
    return { found, cpu: cpuSeconds(this.#agent.pid) - cpu, time: (performance.now() - begin) / 1000 };
  }

  async #settle(): Promise<void> {
    for (let left = SETTLES; left > 0; left--) {
      const before = cpuSeconds(this.#agent.pid);
      await sleep(SETTLE_MS);
      if (cpuSeconds(this.#agent.pid) - before < (SETTLED * SETTLE_MS) / 1000) return;
    }
  }
}

async function again(run: () => Promise<unknown>, seconds: number): Promise<void> {
  for (const begin = performance.now(); performance.now() - begin < seconds * 1000; ) await run();
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

const micros = ({ after_rest_us, again_us }: Idle['page']): string =>
  `${after_rest_us.toFixed(2)} (${again_us.toFixed(3)}) µs`;

async function idle({ report, dir, options, programs }: BenchContext): Promise<void> {
  const seconds = Math.max(IDLE_S, options.seconds);
  const node = await idleNode(seconds, programs);
  await using agent = await Agent.startCollector({ dir });
  await sleep(IDLE_AFTER_MS);
  const found = await idleOf(agent.pid, seconds, programs, () => Hooks.takeFrom(agent.pinPath)[Symbol.dispose]());
  report.figure('idle', { agent: found, node });
  const row = (name: string, { cpuShare, pages, rssBytes, page }: Idle, target: string): string[] => {
    const known = !Number.isNaN(pages);
    const all = known ? percent((pages * page.after_rest_us) / 2e6) : '';
    return [name, percent(cpuShare), known ? count(pages) : '', micros(page), all, mib(rssBytes), target];
  };
  report.table({
    title: 'left alone',
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
      row('up --only collector', found, '< 1 %, < 150 MB'),
      row('a Node program that wakes once a second and does nothing', node, ''),
    ],
    notes: [
      'a page takes: one of 4 KiB that a C program reads as the first thing after a second (and once more), in the same seconds',
      'in memory of its own: where that lies matters on virtual machines, so all of them is a guess',
      FALCO.idle,
    ],
  });
}
