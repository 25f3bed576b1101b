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

/** Below what is lost without, since nothing may be missing from it; near to it, since batches must be as large as at the rates it is replayed at. */
const OPS_PER_S = 40_000;
/** Beside the day's programs, so that the mix has connections, and 5 % of executions and some more. */
const BESIDE = { busy: 4_000, exec: 700 } as const;
/** Programs of all sorts make fewer events; this long an interval makes batches as large as at the rates that are measured. */
const DAY: readonly string[] = ['sensor.pollInterval=50ms'];

/** Of what the stream is recorded: `busy` alone, few paths at a high rate; `day` is programs of all sorts, with some of it beside them. */
export type Load = 'busy' | 'day';

export interface Recorded {
  /** as `ringfence record` writes it */
  readonly path: string;
  /** framed EventBatch records of the same events */
  readonly batches: readonly Buffer[];
}

/** Records a load with every open and all else, all the way from the sensor. */
export async function record(dir: string, programs: Programs, load: Load, seconds: number): Promise<Recorded> {
  await using agent = await Agent.start({ dir, settings: load === 'day' ? [...UNFILTERED, ...DAY] : UNFILTERED });
  if (load === 'busy') await programs.load('busy', seconds, OPS_PER_S);
  else
    await Promise.all([
      programs.day(seconds, dir),
      programs.load('busy', seconds, BESIDE.busy),
      programs.load('exec', seconds, BESIDE.exec),
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
  return { path, batches: await enriched(path) };
}

/** The recording's framed EventBatch records, as the enricher makes them. */
export async function enriched(path: string): Promise<Buffer[]> {
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
