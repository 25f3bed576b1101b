/**
 * Decodes EventBatches and matches their events, in a process of its own, as a detector has it: nothing of another rule set is in its caches or
 * in what its compiler has learnt.
 *
 *   rules-child.ts JOB.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { compileDetectorRules, type Rules } from '@ringfence/detector';
import { compileRules } from '@ringfence/rules';
import { EventView } from '@ringfence/wire';
import type { MatchJob, MatchResult } from './rules/job.ts';
import { readBatches } from './rules/job.ts';

/** s of CPU time before anything counts: until then V8 compiles. */
const WARM_UP = 2;

const [path = ''] = process.argv.slice(2);
const job = JSON.parse(readFileSync(path, 'utf8')) as MatchJob;
const batches = readBatches(job.batches);
const begin = performance.now();
const set = compiled(job);
const compileMs = performance.now() - begin;
let matches = 0;
/** µs that the events are later than recorded: each walk goes on where the last one ended, since sequences remember what came before. */
let later = 0;
const events = walk(null);

for (const until = cpuSeconds() + WARM_UP; cpuSeconds() < until; ) {
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

function compiled({ sources, indexed, measured }: MatchJob): Rules {
  const rules = compileDetectorRules(sources);
  if (indexed && measured) return rules;
  return compileRules({ ...rules.options, indexed, ...(measured ? {} : { clock: null }) });
}

/** null: decodes only. The events. */
function walk(rules: Rules | null): number {
  const view = new EventView();
  let seen = 0;
  let first = 0;
  for (const batch of batches) {
    view.open(batch);
    while (view.next()) {
      if (seen++ === 0) first = view.cursor.ktime;
      rules?.matcher.match(view, matched, view.cursor.ktime + later);
    }
  }
  if (rules !== null) later += view.cursor.ktime - first;
  return seen;
}

function matched(): void {
  matches++;
}

/** Of all threads: the process has one core. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The kernel counts CPU time in ticks of milliseconds: short work is repeated. */
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
  const { profile: found } = await session.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(found));
  session.disconnect();
}
