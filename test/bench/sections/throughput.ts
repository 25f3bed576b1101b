import { accountOf } from '../lib/account.ts';
import { Agent, type Reading, UNFILTERED } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { FALCO } from '../lib/falco.ts';
import { count, mib, percent, sumOf, thousands } from '../lib/figures.ts';
import type { Account } from '../lib/ledger.ts';
import { profilePath } from '../lib/options.ts';
import type { LoadMode } from '../lib/programs.ts';
import { cpuSeconds, residentBytes } from '../lib/usage.ts';

/** Operations per second of the first step */
const FIRST_RATE = 15_000;
/** Factor from one step to the next */
const GROWTH = 1.5;
/** Failed steps after which the search goes straight to full speed */
const MAX_FAILURES = 2;
/** A rate is sustained when the backlog at the load's end is processed within this share of the load's duration. */
const BACKLOG_SHARE = 0.05;
const BACKLOG_MIN_MS = 400;

interface Step {
  /** Requested operations per second; 0 is full speed */
  readonly rate: number;
  readonly opsPerS: number;
  readonly eventsPerS: number;
  readonly detectedPerS: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly drainMs: number;
  readonly cores: number;
  readonly peakBytes: number;
  readonly sustained: boolean;
}

/** Measures how many events per second pass from the sensor to the audit trail, and checks that none is missing. */
export async function throughput(context: BenchContext): Promise<void> {
  for (const mode of ['open', 'busy', 'mixed'] as const) await measureMode(context, mode);
}

async function measureMode(context: BenchContext, mode: LoadMode): Promise<void> {
  const { options, report, dir } = context;
  const settings = [...UNFILTERED, 'auditor.maxBytes=32GiB', 'bus.embedded.maxBytes=8GiB'];
  await using agent = await Agent.start({ dir, settings, profile: profilePath(options, `throughput-${mode}`) });
  const steps = await search(context, agent, mode);
  const confirmed = await confirm(context, agent, mode, steps);
  // Wait for a tick, so that the last counters include all events of the load.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await agent.drain();
  await agent.stop();
  const account = accountOf(agent.stateDir);
  report.table({
    title: `${mode}: load MODE SECONDS RATE, ringfence up --set ${UNFILTERED.join(' --set ')}, all built-in rules, audit on`,
    columns: [
      'ops/s requested',
      'ops/s',
      'raw events/s',
      'into detector/s',
      'lost',
      'backlog',
      'CPU',
      'events per CPU s',
      'peak RSS',
      '',
    ],
    rows: [...steps, ...confirmed].map(row),
    notes: [
      mode === 'open'
        ? FALCO.open
        : mode === 'mixed'
          ? FALCO.mixed
          : '5.6 % of the events are execs, 72 % opens, 11 % connects',
    ],
  });
  reportBest(context, mode, confirmed);
  checkAccount(context, mode, account);
}

/** Tries rising rates for a short time each, then full speed. */
async function search({ options, programs }: BenchContext, agent: Agent, mode: LoadMode): Promise<Step[]> {
  const seconds = Math.max(2, options.seconds / 5);
  const steps: Step[] = [];
  let failures = 0;
  for (let rate = FIRST_RATE; failures < MAX_FAILURES; rate *= GROWTH) {
    const step = await measure(agent, () => programs.load(mode, seconds, rate), rate);
    steps.push(step);
    if (!step.sustained) failures++;
    // The load program itself has reached its limit.
    if (step.opsPerS < rate * 0.9) break;
  }
  steps.push(await measure(agent, () => programs.load(mode, seconds), 0));
  return steps;
}

/** Repeats the highest sustained rate for the full time, and lowers it by a tenth until it is sustained. */
async function confirm(
  { options, programs }: BenchContext,
  agent: Agent,
  mode: LoadMode,
  steps: readonly Step[],
): Promise<Step[]> {
  const confirmed: Step[] = [];
  let rate = Math.round(Math.max(0, ...steps.filter(({ sustained }) => sustained).map(({ opsPerS }) => opsPerS)));
  for (let attempt = 0; rate > 0 && attempt < 5; attempt++, rate = Math.round(rate * 0.9)) {
    const requested = rate;
    const step = await measure(agent, () => programs.load(mode, options.seconds, requested), requested);
    confirmed.push(step);
    if (step.sustained) break;
  }
  return confirmed;
}

async function measure(
  agent: Agent,
  load: () => Promise<{ ops_per_s: number; seconds: number }>,
  rate: number,
): Promise<Step> {
  await agent.drain();
  const cpu = cpuSeconds(agent.pid);
  const before = await agent.read();
  const { ops_per_s: opsPerS, seconds } = await load();
  const after = await agent.read();
  const cores = (cpuSeconds(agent.pid) - cpu) / ((after.at - before.at) / 1000);
  const { ms: drainMs, reading } = await agent.drain();
  const lost = difference(reading.lost, before.lost);
  const allowed = Math.max(BACKLOG_MIN_MS, seconds * 1000 * BACKLOG_SHARE);
  return {
    rate,
    opsPerS,
    eventsPerS: perSecond(before, after, ({ produced }) => produced),
    detectedPerS: perSecond(before, after, ({ detected }) => detected),
    lost,
    drainMs,
    cores,
    peakBytes: residentBytes(agent.pid, 'VmHWM'),
    sustained: sumOf(Object.values(lost)) === 0 && drainMs <= allowed,
  };
}

const perSecond = (before: Reading, after: Reading, countOf: (reading: Reading) => number): number =>
  (countOf(after) - countOf(before)) / ((after.at - before.at) / 1000);

function difference(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>) {
  const changed = Object.entries(after).map(([cause, number]) => [cause, number - (before[cause] ?? 0)] as const);
  return Object.fromEntries(changed.filter(([, number]) => number > 0));
}

function row(step: Step): string[] {
  const { rate, opsPerS, eventsPerS, detectedPerS, lost, drainMs, cores, peakBytes, sustained } = step;
  const losses = Object.entries(lost).map(([cause, number]) => `${count(number)} ${cause}`);
  return [
    rate === 0 ? 'full speed' : count(rate),
    count(opsPerS),
    count(eventsPerS),
    count(detectedPerS),
    losses.join(', ') || '0',
    `${(drainMs / 1000).toFixed(1)} s`,
    percent(cores),
    count(eventsPerS / cores),
    mib(peakBytes),
    sustained ? 'sustained' : '',
  ];
}

function reportBest({ report, results, options }: BenchContext, mode: LoadMode, confirmed: readonly Step[]): void {
  const best = confirmed.find(({ sustained }) => sustained);
  report.figure(`${mode}.sustained`, best ?? null);
  if (best === undefined) {
    report.print(`  ${mode}: no rate was sustained for ${options.seconds} s`);
    return;
  }
  if (mode === 'open') results.openRate = best.opsPerS;
  report.print(
    `  ${mode}: ${thousands(best.detectedPerS)} events/s into the detector sustained for ${options.seconds} s without loss`,
  );
}

/** Checks that each event that the kernel numbered is stored or counted as lost. */
function checkAccount({ report }: BenchContext, mode: LoadMode, account: Account): void {
  const { produced, stored, duplicates, counted, named, unexplained } = account;
  const causes = Object.entries(counted).map(([cause, number]) => `${count(number)} ${cause}`);
  report.figure(`${mode}.account`, account);
  report.print(
    `  ${mode}: ${count(produced)} produced = ${count(stored)} in the audit trail + ${causes.join(' + ') || '0'} lost (named by gap events: ${count(named)}); unexplained ${count(unexplained)}, duplicated ${count(duplicates)}`,
  );
  if (unexplained !== 0) report.fail(`${mode}: ${unexplained} events are neither stored nor counted as lost`);
  if (duplicates !== 0) report.fail(`${mode}: ${duplicates} events are stored twice`);
  if (named !== produced - stored)
    report.fail(`${mode}: gap events name ${named} of the ${produced - stored} events that are not stored`);
}
