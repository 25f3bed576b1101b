import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openEmbeddedReader } from '@ringfence/bus';
import { TOPIC } from '@ringfence/schema';
import { loadLocalIdentity } from '../../../cli/src/identity.ts';
import { recordingEntry, recordingHeader } from '../../../cli/src/recording.ts';
import { Agent, UNFILTERED } from './agent.ts';
import type { Programs } from './programs.ts';

/** Below what is lost without, since nothing may be missing from it; near to it, since batches must be as large as at the rates it is replayed at. */
const OPS_PER_S = 40_000;

export interface Recorded {
  /** as `ringfence record` writes it */
  readonly path: string;
  /** framed EventBatch records of the same events */
  readonly batches: readonly Buffer[];
}

/** Records the busy load with every open, all the way from the sensor. */
export async function record(dir: string, programs: Programs, seconds: number): Promise<Recorded> {
  await using agent = await Agent.start({ dir, settings: UNFILTERED });
  await programs.load('busy', seconds, OPS_PER_S);
  await agent.drain();
  await agent.stop();
  await using reader = await openEmbeddedReader({ path: join(agent.stateDir, 'bus.db') });
  const { enrolled } = loadLocalIdentity(agent.stateDir);
  const path = join(dir, 'busy.rec');
  async function* entries(): AsyncGenerator<Buffer> {
    yield recordingHeader(enrolled);
    for await (const { value } of reader.read({ topic: TOPIC.raw })) if (value !== null) yield recordingEntry(value);
  }
  await pipeline(Readable.from(entries()), createWriteStream(path));
  const batches: Buffer[] = [];
  for await (const { value } of reader.read({ topic: TOPIC.events }))
    if (value !== null) batches.push(Buffer.from(value));
  return { path, batches };
}
