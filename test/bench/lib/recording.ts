import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openEmbeddedReader } from '@ringfence/bus';
import { createEnricherPipeline } from '@ringfence/enricher';
import { loadLocalIdentity } from '@ringfence/identity/local';
import { consumerRecords } from '@ringfence/synthetic';
import { openRecording, RawBatchReader, recordingEntry, recordingHeader, TOPIC } from '@ringfence/wire';
import { Agent, UNFILTERED } from './agent.ts';
import type { Programs } from './programs.ts';

/**
 * Below the rate at which events are lost, because the recording must be complete, but close to it, because the
 * batches must be as large as at the rates of the replay.
 */
const OPS_PER_S = 40_000;
/** Operations per second in addition to the day's programs, so that the mix has connections and over 5 % executions */
const BACKGROUND_RATE = { busy: 4_000, exec: 700 } as const;
/** The day's programs make fewer events; a long interval makes batches as large as at the measured rates. */
const DAY_SETTINGS: readonly string[] = ['sensor.pollInterval=50ms'];

/** `busy`: few paths at a high rate. `day`: various programs with some busy load in the background. */
export type Load = 'busy' | 'day';

export interface Recorded {
  /** File in the format of `ringfence record` */
  readonly path: string;
  /** Framed EventBatch records of the same events */
  readonly batches: readonly Buffer[];
}

/** Records a load with a complete agent, unfiltered. */
export async function record(dir: string, programs: Programs, load: Load, seconds: number): Promise<Recorded> {
  await using agent = await Agent.start({
    dir,
    settings: load === 'day' ? [...UNFILTERED, ...DAY_SETTINGS] : UNFILTERED,
  });
  if (load === 'busy') await programs.load('busy', seconds, OPS_PER_S);
  else
    await Promise.all([
      programs.day(seconds, dir),
      programs.load('busy', seconds, BACKGROUND_RATE.busy),
      programs.load('exec', seconds, BACKGROUND_RATE.exec),
    ]);
  await agent.drain();
  await agent.stop();
  await using reader = await openEmbeddedReader({ path: join(agent.stateDir, 'bus.db') });
  const { enrolled } = loadLocalIdentity(agent.stateDir);
  const path = join(dir, `${load}.rec`);
  async function* entries(): AsyncGenerator<Buffer> {
    yield recordingHeader(enrolled);
    for await (const { value } of reader.read({ topic: TOPIC.raw })) if (value !== null) yield recordingEntry(value);
  }
  await pipeline(Readable.from(entries()), createWriteStream(path));
  return { path, batches: await enrichRecording(path) };
}

/** Enriches a recording and returns its framed EventBatch records. */
export async function enrichRecording(path: string): Promise<Buffer[]> {
  await using recording = await openRecording(path);
  const { enrolled } = recording;
  using enricher = createEnricherPipeline({ enrolment: { keyFor: (host) => enrolled.get(host) } });
  const batches: Buffer[] = [];
  const reader = new RawBatchReader();
  let offset = 0;
  for await (const value of recording.records()) {
    reader.open(value);
    const records = consumerRecords(reader.head.hostId, [value], TOPIC.raw, offset++);
    for (const output of enricher.handle(records).outputs)
      if (output.topic === TOPIC.events && output.value !== null) batches.push(Buffer.from(output.value));
  }
  return batches;
}
