import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventKinds } from '@ringfence/fields';
import { EventView } from '@ringfence/wire';
import { NODE_FLAGS } from '../lib/agent.ts';
import type { BenchContext } from '../lib/context.ts';
import { FALCO } from '../lib/falco.ts';
import { count, mib, millis, percent, percentile, range, ratio } from '../lib/figures.ts';
import { interrupted } from '../lib/interrupt.ts';
import { profilePath } from '../lib/options.ts';
import { enrichRecording } from '../lib/recording.ts';
import { measureDetector } from '../rules/detector.ts';
import { type MatchJob, type MatchResult, type SequenceFigures, writeBatches } from '../rules/job.ts';
import { measureReload } from '../rules/reload.ts';
import { builtin, distinct, falcoAll, falcoStable, type RuleList } from '../rules/sets.ts';

const CHILD = fileURLToPath(new URL('../rules-child.ts', import.meta.url));
const SEQUENCES = fileURLToPath(new URL('../sequences-child.ts', import.meta.url));
const run = promisify(execFile);
const ROUNDS = 5;
const FEW = 100;
const MANY = 1000;
/** Shares that the mix must have at least, so that the figures are typical for a host */
const MIN_SHARES = { exec: 0.05, open: 0.3 } as const;

/** Measures matching over a recorded mix on one core, the cost of a rule, reloads, sequences and the whole detector. */
export async function rules(context: BenchContext): Promise<void> {
  const { options, report } = context;
  const batches =
    options.recording === null ? (await context.recorded('day')).batches : await enrichRecording(options.recording);
  const path = join(context.dir, 'rules.batches');
  writeBatches(path, batches);
  reportMix(context, batches);
  await measureSets(context, path);
  await measureAdded(context, path);
  await measureOrder(context, path);
  report.table(measureReload(batches, distinct(MANY).sources, report));
  await measureSequences(context);
  report.table(measureDetector(batches, builtin().sources, report));
}

function reportMix({ report }: BenchContext, batches: readonly Buffer[]): void {
  const kinds = new Map<string, number>();
  const view = new EventView();
  let events = 0;
  for (const batch of batches) {
    view.open(batch);
    for (; view.next(); events++) {
      const kind = eventKinds.names[eventKinds.of(view)] ?? '';
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
  }
  const shares = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, number]) => [kind, number / events] as const);
  report.figure('mix', Object.fromEntries(shares));
  const shown = shares.filter(([, share]) => share >= 0.001).map(([kind, share]) => `${kind} ${percent(share)}`);
  report.print(`recorded mix: ${count(events)} events in ${count(batches.length)} batches: ${shown.join(', ')}`);
  for (const [kind, minShare] of Object.entries(MIN_SHARES))
    if ((kinds.get(kind) ?? 0) / events < minShare) report.fail(`less than ${percent(minShare)} of the mix is ${kind}`);
}

async function measureSets(context: BenchContext, batches: string): Promise<void> {
  const { options, report } = context;
  const lists = [falcoStable(options.falco), falcoAll(options.falco), builtin(), distinct(MANY)];
  const rows: string[][] = [];
  for (const list of lists) {
    if (list === null) continue;
    const result = await measure(context, batches, list, true);
    report.figure(list.name, result);
    for (const message of result.errors.slice(0, 3)) report.print(`  ${list.name}: some rules do not load: ${message}`);
    rows.push(rowOf(list, result));
  }
  if (lists[0] === null) report.print("  Falco's rules were not found: set RINGFENCE_YARDSTICKS or --falco");
  report.table({
    title: 'matching, decoding included: EventBatch bytes → events → rules that match, one core (taskset -c 0)',
    columns: [
      'rules',
      'active',
      'events per CPU second (min · median · max)',
      'ns/event',
      '× decoding alone',
      'matches',
      'load + compile',
    ],
    rows,
    notes: [FALCO.replay],
  });
}

function rowOf({ name }: RuleList, result: MatchResult): string[] {
  const { rules, matching, matches, compileMs } = result;
  return [
    name,
    count(rules),
    range(matching, count),
    nanos(matching).toFixed(0),
    ratio(nanos(matching), nanos(result.decoding)),
    count(matches),
    millis(compileMs),
  ];
}

/** Converts events per second to ns per event (median). */
const nanos = (perSecond: readonly number[]): number => 1e9 / percentile(perSecond, 50);

/** Measures the cost of one more rule: what the distinct rules after the first hundred add. */
async function measureAdded(context: BenchContext, batches: string): Promise<void> {
  const { report } = context;
  const cost = async (indexed: boolean): Promise<number[]> => {
    // Without the index every field is read anyway, which samples ignore: the estimates give that case its best order.
    const few = await measure(context, batches, distinct(FEW), indexed, indexed);
    const many = await measure(context, batches, distinct(MANY), indexed, indexed);
    return [nanos(few.matching), nanos(many.matching), (nanos(many.matching) - nanos(few.matching)) / (MANY - FEW)];
  };
  const on = await cost(true);
  const off = await cost(false);
  const factor = (off[2] ?? 0) / (on[2] ?? 1);
  report.figure('addedRule', { on, off, times: factor });
  report.table({
    title: 'cost of one more rule, ns per event',
    columns: ['', `${FEW} rules`, `${count(MANY)} rules`, 'one more rule'],
    rows: [
      ['indexed', ...on.map((cost) => cost.toFixed(2))],
      ['not indexed: every rule of the kind is evaluated', ...off.map((cost) => cost.toFixed(2))],
    ],
    notes: [`indexing divides the cost of one more rule by ${factor.toFixed(1)}`],
  });
}

/** Measures the gain from evaluating the parts of conditions in the measured order. */
async function measureOrder(context: BenchContext, batches: string): Promise<void> {
  const { report } = context;
  const rows: string[][] = [];
  for (const list of [builtin(), distinct(MANY)]) {
    const estimated = nanos((await measure(context, batches, list, true, false)).matching);
    const measured = nanos((await measure(context, batches, list, true)).matching);
    report.figure(`order: ${list.name}`, { estimated, measured });
    rows.push([list.name, estimated.toFixed(0), measured.toFixed(0), ratio(estimated, measured)]);
  }
  report.table({
    title: 'order of the parts of conditions, ns per event',
    columns: ['rules', 'by estimates', 'as measured', 'times'],
    rows,
  });
}

async function measureSequences({ report }: BenchContext): Promise<void> {
  const args = ['-c', '0', process.execPath, ...NODE_FLAGS, '--expose-gc', SEQUENCES];
  const { stdout } = await run('taskset', args, { signal: interrupted });
  const figures = JSON.parse(stdout) as SequenceFigures;
  const { sequences, perSecond, keys, hits, evicted, matched, bytes } = figures;
  report.figure('sequences', figures);
  report.table({
    title: 'sequences: generated events, each of which matches a step or two',
    columns: ['sequences', 'live keys', 'events remembered', 'events per CPU second', 'memory', 'complete', 'evicted'],
    rows: [[...[sequences, keys, hits, perSecond].map(count), mib(bytes), count(matched), count(evicted)]],
  });
}

async function measure(
  context: BenchContext,
  batches: string,
  list: RuleList,
  indexed: boolean,
  measured = true,
): Promise<MatchResult> {
  const { dir, options } = context;
  const profile = profilePath(options, `rules-${list.name.replaceAll(/\W+/g, '-')}${indexed ? '' : '-unindexed'}`);
  const job: MatchJob = { batches, sources: list.sources, indexed, measured, rounds: ROUNDS, profile };
  const path = join(dir, 'job.json');
  writeFileSync(path, JSON.stringify(job));
  const args = ['-c', '0', process.execPath, ...NODE_FLAGS, CHILD, path];
  const { stdout } = await run('taskset', args, { signal: interrupted, maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as MatchResult;
}
