/**
 * Decodes EventBatches and matches their events, in its own process like a detector, so that no other rule set has
 * influenced its caches or V8's optimizations.
 *
 *   rules-child.ts JOB.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { compileDetectorRules, type Rules } from '@ringfence/detector';
import { compileRules } from '@ringfence/rules';
import { EventView } from '@ringfence/wire';
import { type MatchJob, type MatchResult, readBatches } from './rules/job.ts';

/** CPU seconds of warm-up, until V8 has compiled the code */
const WARM_UP_S = 2;

const [path = ''] = process.argv.slice(2);
const job = JSON.parse(readFileSync(path, 'utf8')) as MatchJob;
const batches = readBatches(job.batches);
const begin = performance.now();
const set = compile(job);
const compileMs = performance.now() - begin;
let matches = 0;
/** Shift of the events' times, µs: each walk continues where the last one ended, because sequences keep state. */
let shiftUs = 0;
const events = walk(null);

for (const until = cpuSeconds() + WARM_UP_S; cpuSeconds() < until; ) {
  walk(null);
  walk(set);
}
const decoding: number[] = [];
const matching: number[] = [];
for (let round = 0; round < job.rounds; round++) {
  decoding.push(events / secondsOf(() => walk(null)));
  matching.push(events / secondsOf(() => walk(set)));
}
if (job.profile !== null) await profile(job.profile);
matches = 0;
walk(set);
const errors = set.diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message);
const result: MatchResult = { rules: set.rules.length, compileMs, events, matches, errors, decoding, matching };
process.stdout.write(`${JSON.stringify(result)}\n`);

function compile({ sources, indexed, measured }: MatchJob): Rules {
  const rules = compileDetectorRules(sources);
  if (indexed && measured) return rules;
  return compileRules({ ...rules.options, indexed, ...(measured ? {} : { clock: null }) });
}

/** Decodes all events, matches them unless `rules` is null, and returns their number. */
function walk(rules: Rules | null): number {
  const view = new EventView();
  let count = 0;
  let first = 0;
  for (const batch of batches) {
    view.open(batch);
    while (view.next()) {
      if (count++ === 0) first = view.cursor.ktime;
      rules?.matcher.match(view, countMatch, view.cursor.ktime + shiftUs);
    }
  }
  if (rules !== null) shiftUs += view.cursor.ktime - first;
  return count;
}

function countMatch(): void {
  matches++;
}

/** CPU time of all threads: the process has one core. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Returns the CPU seconds of one call. The kernel counts CPU time in ticks, so short work is repeated. */
function secondsOf(work: () => unknown): number {
  const start = cpuSeconds();
  for (let calls = 1; ; calls++) {
    work();
    const seconds = cpuSeconds() - start;
    if (seconds >= 0.3) return seconds / calls;
  }
}

async function profile(file: string): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  secondsOf(() => {
    for (let i = 0; i < 10; i++) walk(set);
  });
  const { profile: cpuProfile } = await session.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(cpuProfile));
  session.disconnect();
}
