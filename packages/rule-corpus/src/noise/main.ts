/**
 * Measures false positives: runs jobs of healthy machines under a sensor that filters nothing, and counts the alerts.
 *
 *   npm run noise -- [--minutes N | --once] [--only TEXT] [--first N] [--pause MS] [--keep FILE]
 *                                       run jobs (--only: those with TEXT in their name), judge their events, and
 *                                       keep the recording in FILE
 *   npm run noise -- FILE…              judge recordings again with the current rules
 *   npm run noise -- FILE… --write      and write the committed summary from them (docs/NOISE.md)
 */
import { openSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import { scriptArguments } from '@ringfence/base/script';
import { EventJudge } from '@ringfence/rule-lab';
import { untilInterrupted } from '@ringfence/runtime/process';
import { openRecording, recordingEntry, recordingHeader } from '@ringfence/wire';
import { builtIn } from '../content.ts';
import { CORPUS } from './corpus.ts';
import { newNoise, playNoise } from './noise.ts';
import { changedSince, digestsOf, readSummary, writeSummary } from './summary.ts';
import { Tally } from './tally.ts';

const { values, positionals } = scriptArguments(import.meta.filename, {
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    once: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    first: { type: 'string', default: '0' },
    pause: { type: 'string', default: '1000' },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const CHANGES_NAMED = 20;

const interrupted = untilInterrupted();
const tally = new Tally();
const began = performance.now();
if (positionals.length === 0)
  await play(values.once ? undefined : Number(values.minutes), Number(values.pause), values.keep);
const judged = { events: 0, minutes: 0 };
for (const file of positionals) await judgeFile(file);
process.stdout.write(`${tally.render()}\n`);
if (positionals.length > 0) process.stdout.write(`${judged.events} events in ${judged.minutes.toFixed(1)} minutes\n`);
if (values.write && positionals.length > 0) writeMeasurement();
const changed = changedSince(readSummary(), builtIn().rules);
const more = changed.length > CHANGES_NAMED ? ` and ${changed.length - CHANGES_NAMED} more` : '';
const named = changed.slice(0, CHANGES_NAMED).join('; ') || 'none';
process.stdout.write(`rules that have changed since the last measurement: ${named}${more}\n`);
if (tally.high > 0) process.exitCode = 1;
if (interrupted.aborted) process.exit(130);

async function play(minutes: number | undefined, pauseMs: number, keep: string | undefined): Promise<void> {
  for (const { name, missing } of CORPUS)
    if (missing.length > 0) process.stderr.write(`${name}: skipped, ${missing.join(', ')} not installed\n`);
  const noise = newNoise();
  const { hostId, key } = noise;
  const judge = new EventJudge({ rules: builtIn(), keyFor: () => key.publicKey, onMatch: tally.count });
  const kept = keep === undefined ? undefined : openSync(keep, 'w', 0o600);
  if (kept !== undefined) writeSync(kept, recordingHeader(new Map([[hostId, key.publicKey]])));
  const { events, jobs, drops } = await playNoise(noise, {
    ...(minutes === undefined ? {} : { seconds: minutes * 60 }),
    first: Number(values.first),
    pauseMs,
    signal: interrupted,
    jobs: CORPUS.filter(({ name }) => name.includes(values.only)),
    onBatch: (batch) => {
      judge.take(hostId, batch);
      if (kept !== undefined) writeSync(kept, recordingEntry(batch));
    },
    onJob: ({ name }, code, stderr) => {
      if (code !== 0 || values.only !== '') process.stderr.write(`${name}: ended with ${code}: ${stderr}\n`);
    },
  });
  const lost = Object.entries(drops).map(([cause, count]) => `${count} ${cause}`);
  const took = ((performance.now() - began) / 60_000).toFixed(1);
  process.stdout.write(
    `${events} events of ${jobs} jobs in ${took} minutes (lost on the whole machine: ${lost.join(', ')})\n`,
  );
}

async function judgeFile(path: string): Promise<void> {
  await using recording = await openRecording(path);
  const [hostId = ''] = recording.enrolled.keys();
  const keyFor = (host: string) => recording.enrolled.get(host);
  const judge = new EventJudge({ rules: builtIn(), keyFor, onMatch: tally.count });
  for await (const batch of recording.records()) {
    if (interrupted.aborted) process.exit(130);
    judge.take(hostId, Buffer.from(batch));
  }
  judged.events += judge.events;
  judged.minutes += judge.minutes;
}

function writeMeasurement(): void {
  writeSummary({
    madeBy: 'npm run noise -- FILE… --write',
    measured: new Date().toISOString().slice(0, 10),
    kernel: release().split('-', 1)[0] ?? '',
    recordings: positionals.length,
    events: judged.events,
    minutes: Math.round(judged.minutes * 10) / 10,
    high: tally.high,
    alerts: tally.alerts,
    rules: digestsOf(builtIn().rules),
  });
}
