import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, UNFILTERED } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { FALCO } from '../lib/falco.ts';
import { count, mib, percent, percentile, range, ratio } from '../lib/figures.ts';
import { cpuSeconds, residentBytes, sensorsInKernel } from '../lib/usage.ts';

const CASES = [
  { name: 'no sensor', settings: null },
  { name: 'up, filtered by its rules', settings: [] },
  { name: 'up, unfiltered', settings: UNFILTERED },
] as const;
/** Opens per second at which the cores are not contended */
const PACED_RATE = 40_000;
const SETTLE_MS = 5000;
/** Duration of the idle measurement, as a multiple of --seconds */
const IDLE_FACTOR = 1.5;

interface Figures {
  readonly openOps: number[];
  readonly openMicros: number[];
  readonly pacedMicros: number[];
  readonly execOps: number[];
}

/** Measures what watched programs pay, and what an idle agent costs. */
export async function overhead(context: BenchContext): Promise<void> {
  const { options, report } = context;
  let foreignSensors = 0;
  const all = CASES.map((): Figures => ({ openOps: [], openMicros: [], pacedMicros: [], execOps: [] }));
  // The cases take turns, so that other load on the machine affects all of them alike.
  for (let run = 0; run < options.runs; run++)
    for (const [i, { settings }] of CASES.entries()) {
      if (settings === null) foreignSensors = Math.max(foreignSensors, sensorsInKernel() ?? 0);
      await measure(context, settings, all[i] as Figures);
    }
  const base = all[0] as Figures;
  const ratioToBase = (key: keyof Figures, figures: Figures): string =>
    ratio(percentile(figures[key], 50), percentile(base[key], 50));
  report.table({
    title: `load open|exec ${secondsOf(context)} s, ${options.runs} runs each (min · median · max; × is the median's ratio to no sensor)`,
    columns: ['', 'open ops/s', '×', 'CPU per open', '×', `at ${count(PACED_RATE)}/s`, '×', 'exec ops/s', '×'],
    rows: all.map((figures, i) => [
      CASES[i]?.name ?? '',
      range(figures.openOps, count),
      ratioToBase('openOps', figures),
      range(figures.openMicros, micros),
      ratioToBase('openMicros', figures),
      range(figures.pacedMicros, micros),
      ratioToBase('pacedMicros', figures),
      range(figures.execOps, count),
      ratioToBase('execOps', figures),
    ]),
    notes: [
      ...FALCO.overhead,
      ...(foreignSensors === 0
        ? []
        : [`NOT without a sensor: up to ${foreignSensors} other sensors in the kernel, also in the first row`]),
    ],
  });
  report.figure('cases', Object.fromEntries(CASES.map(({ name }, i) => [name, all[i]])));
  await idle(context);
}

const micros = (value: number): string => `${value.toFixed(2)} µs`;
const secondsOf = ({ options }: BenchContext): number => Math.max(1, Math.min(5, options.seconds / 4));

async function measure(context: BenchContext, settings: readonly string[] | null, figures: Figures): Promise<void> {
  const { programs, dir } = context;
  const seconds = secondsOf(context);
  await using agent = settings === null ? null : await Agent.start({ dir, settings });
  await sleep(1000);
  const open = await programs.load('open', seconds);
  await agent?.drain();
  const paced = await programs.load('open', seconds, PACED_RATE);
  await agent?.drain();
  const exec = await programs.load('exec', seconds);
  figures.openOps.push(open.ops_per_s);
  figures.openMicros.push((open.cpu_s / open.ops) * 1e6);
  figures.pacedMicros.push((paced.cpu_s / paced.ops) * 1e6);
  figures.execOps.push(exec.ops_per_s);
}

async function idle({ options, report, dir }: BenchContext): Promise<void> {
  await using agent = await Agent.start({ dir });
  await sleep(SETTLE_MS);
  const seconds = Math.max(5, options.seconds * IDLE_FACTOR);
  const before = await agent.read();
  const cpu = cpuSeconds(agent.pid);
  await sleep(seconds * 1000);
  const share = (cpuSeconds(agent.pid) - cpu) / seconds;
  const after = await agent.read();
  const rss = residentBytes(agent.pid, 'VmRSS');
  const eventsPerS = (after.produced - before.produced) / ((after.at - before.at) / 1000);
  report.figure('idle', { cpuShare: share, rssBytes: rss, eventsPerS });
  report.table({
    title: `ringfence up idle for ${seconds} s`,
    columns: ['CPU of one core', 'RSS', 'events/s of the machine meanwhile'],
    rows: [[percent(share), mib(rss), count(eventsPerS)]],
    notes: [FALCO.idle],
  });
}
