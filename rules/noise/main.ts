/**
 * How often the rules are wrong: plays what healthy machines do, unfiltered, and counts the alerts.
 *
 *   npm run noise -- [--minutes N | --once] [--only TEXT] [--pause MS] [--keep FILE]     play (of the jobs those with TEXT in their name), judge, and keep the recording
 *   npm run noise -- FILE…                                                               judge recordings again, with the rules as they are now
 *   npm run noise -- FILE… --write                                                       and make of it the summary that is committed (docs/NOISE.md)
 */
import { openSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { openRecording, recordingEntry, recordingHeader } from '@ringfence/wire';
import { interrupted } from '../../test/bench/lib/interrupt.ts';
import { Judge } from '../lab/judge.ts';
import { builtIn } from '../test/support.ts';
import { CORPUS } from './corpus.ts';
import { newNoise, playNoise } from './noise.ts';
import { changedSince, digestsOf, readSummary, writeSummary } from './summary.ts';
import { Tally } from './tally.ts';

const { values, positionals } = parseArgs({
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

const tally = new Tally();
const began = performance.now();
if (positionals.length === 0)
  await play(values.once ? undefined : Number(values.minutes), Number(values.pause), values.keep);
const judged = { events: 0, minutes: 0 };
for (const file of positionals) await again(file);
process.stdout.write(`${tally.render()}\n`);
if (positionals.length > 0) process.stdout.write(`${judged.events} events in ${judged.minutes.toFixed(1)} minutes\n`);
if (values.write && positionals.length > 0) write();
const changed = changedSince(readSummary(), builtIn().rules);
process.stdout.write(`rules that have changed since the last measurement: ${changed.join('; ') || 'none'}\n`);
if (tally.high > 0) process.exitCode = 1;
if (interrupted.aborted) process.exit(130);

async function play(minutes: number | undefined, pauseMs: number, keep: string | undefined): Promise<void> {
  for (const { name, missing } of CORPUS)
    if (missing.length > 0) process.stderr.write(`${name}: left out, here is no ${missing.join(', ')}\n`);
  const noise = newNoise();
  const { hostId, key } = noise;
  const judge = new Judge(builtIn(), () => key.publicKey, tally.count);
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
    onJob: ({ name }, code, said) => {
      if (code !== 0 || values.only !== '') process.stderr.write(`${name}: ended with ${code}: ${said.slice(-2000)}\n`);
    },
  });
  const lost = Object.entries(drops).map(([cause, count]) => `${count} ${cause}`);
  const took = ((performance.now() - began) / 60_000).toFixed(1);
  process.stdout.write(
    `${events} events of ${jobs} jobs in ${took} minutes (of the whole machine ${lost.join(', ')})\n`,
  );
}

async function again(path: string): Promise<void> {
  await using recording = await openRecording(path);
  const [hostId = ''] = recording.enrolled.keys();
  const judge = new Judge(builtIn(), (host) => recording.enrolled.get(host), tally.count);
  for await (const batch of recording.records()) {
    if (interrupted.aborted) process.exit(130);
    judge.take(hostId, Buffer.from(batch));
  }
  judged.events += judge.events;
  judged.minutes += judge.minutes;
}

function write(): void {
  writeSummary({
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
