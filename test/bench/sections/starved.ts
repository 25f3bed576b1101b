import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectorStats } from '@ringfence/collector';
import type { DropCause } from '@ringfence/sensor/parts';
import { LANE } from '@ringfence/wire';
import { accountOf } from '../lib/account.ts';
import { Agent, UNFILTERED } from '../lib/agent.ts';
import { Compilers } from '../lib/compilers.ts';
import type { BenchContext } from '../lib/context.ts';
import { count, percent, sumOf } from '../lib/figures.ts';
import { refusalOf } from '../lib/refusal.ts';
import { cpuSeconds } from '../lib/usage.ts';

const LOOPS_PER_CORE = 8;
/** Time for V8 to compile the agent's code before anything is counted */
const WARM_MS = 10_000;
/** Time for the agent to report the last losses: two ticks. */
const REPORT_MS = 3000;
const OLD = ['sensor.ringSecurityBytes=8MiB', 'sensor.ringBulkBytes=16MiB', 'sensor.nice=0'];
const DEFAULTS = 'defaults';
const CASES: readonly {
  readonly name: string;
  readonly settings: readonly string[];
  readonly under?: readonly string[];
}[] = [
  { name: 'defaults of 0.2.0', settings: OLD },
  { name: DEFAULTS, settings: [] },
  { name: 'defaults, real-time', settings: [], under: ['chrt', '--fifo', '1'] },
];

interface Starved {
  readonly name: string;
  readonly seconds: number;
  readonly compiled: number;
  readonly load: string;
  /** The agent's share of a core */
  readonly agent: number;
  readonly security: Lane;
  readonly bulk: Lane;
  /** Losses without an event that names them */
  readonly unnamed: number;
}

interface Lane {
  /** Events that rules or settings ask for */
  readonly wanted: number;
  readonly throttled: number;
  /** Ring full, and other losses */
  readonly lost: number;
}

/** Counts the losses of an agent beside compilers on all cores, with the defaults of 0.2.0 and with today's. */
export async function starved(context: BenchContext): Promise<void> {
  const { report } = context;
  const results: Starved[] = [];
  for (const { name, settings, under = [] } of CASES) {
    const refused = under.length === 0 ? null : refusalOf(under);
    if (refused === null) results.push(await measure(context, { name, settings, under }));
    else report.print(`${name} is left out: ${refused}`);
  }
  report.figure('cases', results);
  const rate = ({ compiled, seconds }: Starved): number => compiled / seconds;
  const base = results.find(({ name }) => name === DEFAULTS) as Starved;
  report.table({
    title: `${LOOPS_PER_CORE} compilers per core for ${context.options.seconds} s; opens and audit unfiltered`,
    columns: [
      '',
      'load',
      'compiled',
      '×',
      'agent',
      'security',
      'throttled',
      'lost',
      'bulk',
      'throttled',
      'lost',
      'share',
      'unnamed',
    ],
    rows: results.map((result) => {
      const { name, load, agent, security, bulk, unnamed } = result;
      const lanes = [security.wanted, security.throttled, security.lost, bulk.wanted, bulk.throttled, bulk.lost];
      return [
        ...[name, load, `${rate(result).toFixed(1)}/s`, (rate(result) / rate(base)).toFixed(2), percent(agent)],
        ...[...lanes.map(count), percent((bulk.throttled + bulk.lost) / bulk.wanted), count(unnamed)],
      ];
    }),
    notes: [
      'target: nothing throttled or lost of the security lane, a share below 1 % of the bulk lane, 0 unnamed',
      '× compares the compilers with those beside the defaults; load: load average at the end; agent: its share of a core',
    ],
  });
  for (const { name, unnamed } of results)
    if (unnamed !== 0) report.fail(`${name}: ${count(unnamed)} losses are not named`);
}

type Case = Required<(typeof CASES)[number]>;

async function measure({ dir, options, report }: BenchContext, { name, settings, under }: Case): Promise<Starved> {
  report.print(name);
  await using agent = await Agent.start({ dir, settings: [...UNFILTERED, ...settings], under });
  await sleep(WARM_MS);
  const cpu = cpuSeconds(agent.pid);
  const begin = performance.now();
  let compiled = 0;
  {
    await using compilers = new Compilers(join(dir, 'compilers'), LOOPS_PER_CORE * availableParallelism());
    await sleep(options.seconds * 1000);
    ({ compiled } = compilers);
  }
  const seconds = (performance.now() - begin) / 1000;
  const share = (cpuSeconds(agent.pid) - cpu) / seconds;
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0] as string;
  await agent.drain();
  await sleep(REPORT_MS);
  const { collector } = await agent.read();
  await agent.stop();
  const { counted, named, unexplained } = accountOf(agent.stateDir);
  const [security, bulk] = [LANE.security, LANE.bulk].map((lane) => laneOf(collector, lane)) as [Lane, Lane];
  const unnamed = Math.abs(sumOf(Object.values(counted)) - named) + Math.abs(unexplained);
  return { name, seconds, compiled, load, agent: share, security, bulk, unnamed };
}

function laneOf({ account }: CollectorStats, lane: number): Lane {
  const kinds = account.kinds.filter((kind) => kind.lane === lane);
  const dropped = (...causes: readonly DropCause[]): number =>
    sumOf(kinds.flatMap(({ drops }) => causes.map((cause) => drops[cause] ?? 0)));
  const throttled = dropped('throttled', 'probe_rate');
  const lost = dropped('ring_full', 'scratch', 'forgotten');
  return { wanted: sumOf(kinds.map(({ sent }) => sent)) + throttled + lost, throttled, lost };
}
