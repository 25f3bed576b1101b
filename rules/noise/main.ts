/**
 * How often the rules are wrong: plays what healthy machines do, unfiltered, and counts the alerts.
 *
 *   npm run noise -- [--minutes N | --once] [--only TEXT] [--pause MS] [--keep FILE]     play (of the jobs those with TEXT in their name), judge, and keep the recording
 *   npm run noise -- FILE…                                                               judge recordings again, with the rules as they are now
 */
import { openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openRecording, recordingEntry, recordingHeader } from '../../cli/src/recording.ts';
import { Judge } from '../lab/judge.ts';
import { builtIn } from '../test/support.ts';
import { CORPUS } from './corpus.ts';
import { newNoise, playNoise } from './noise.ts';
import { Tally } from './tally.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    once: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    pause: { type: 'string', default: '1000' },
    keep: { type: 'string' },
  },
});

const tally = new Tally();
const began = performance.now();
if (positionals.length === 0)
  await play(values.once ? undefined : Number(values.minutes), Number(values.pause), values.keep);
for (const file of positionals) await again(file);
process.stdout.write(`${tally.render()}\n`);
if (tally.high > 0) process.exitCode = 1;

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
    pauseMs,
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
  for await (const batch of recording.records()) judge.take(hostId, Buffer.from(batch));
  process.stdout.write(`${judge.events} events\n`);
}
