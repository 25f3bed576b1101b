import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSigningKey, type SigningKey } from '@ringfence/wire';
import { LIBRARY, remembered, Sandbox } from '../lab/sandbox.ts';
import { LabSensor } from '../lab/sensor.ts';
import { Slice } from '../lab/slice.ts';
import { CORPUS, type Job } from './corpus.ts';

const JOB_LIMIT_MS = 100_000;

export interface NoiseOptions {
  /** how long jobs are played; the one at hand is finished. @default each once */
  readonly seconds?: number;
  /** number of the job that comes first. @default 0 */
  readonly first?: number;
  /** between two jobs: machines rest, too. @default 0 */
  readonly pauseMs?: number;
  /** @default all */
  readonly jobs?: readonly Job[];
  /** ends the job at hand, and all */
  readonly signal?: AbortSignal;
  /** a RawBatch of the jobs' events, signed by `key` */
  readonly onBatch: (batch: Buffer) => void;
  readonly onJob?: (job: Job, code: number | null, said: string) => void;
}

export interface Noise {
  readonly hostId: string;
  readonly key: SigningKey;
}

export function newNoise(): Noise {
  return { hostId: randomUUID(), key: createSigningKey() };
}

/** Plays the corpus under a sensor that filters nothing, and tells what the jobs did: events by batch, those of nobody else on this machine. */
export async function playNoise(
  { hostId, key }: Noise,
  { seconds, first = 0, pauseMs = 0, jobs = CORPUS, signal, onBatch, onJob }: NoiseOptions,
): Promise<{ readonly events: number; readonly jobs: number; readonly drops: Readonly<Record<string, number>> }> {
  let isOurs: (cgroup: bigint) => boolean = () => false;
  const slice = new Slice({ hostId, bootId: randomUUID(), key, isWanted: (cgroup) => isOurs(cgroup) });
  const programsDir = mkdtempSync(join(tmpdir(), 'ringfence-noise-'));
  copyFileSync(LIBRARY, join(programsDir, 'lib.sh'));
  const take = (batch: Buffer): void => {
    const taken = slice.take(batch);
    if (taken !== undefined) onBatch(taken);
  };
  await using sensor = await LabSensor.start(take, { dockerRoots: [join(programsDir, 'docker')] });
  const playable = jobs.filter(({ missing }) => missing.length === 0);
  const end = seconds === undefined ? undefined : performance.now() + seconds * 1000;
  let played = 0;
  try {
    while (!signal?.aborted && (end === undefined ? played < playable.length : performance.now() < end)) {
      const job = playable[(first + played++) % playable.length] as Job;
      const name = `ringfence-noise-${process.pid}-${played}`;
      await using sandbox = new Sandbox({ name, image: job.image, containersDir: sensor.containersDir, programsDir });
      isOurs = remembered((cgroup) => sandbox.holds(cgroup));
      // From a file: no shell of a healthy machine has a day's work in its command line.
      writeFileSync(join(programsDir, 'job.sh'), job.script);
      const { code, said } = await sandbox.play('. /opt/lab/job.sh', JOB_LIMIT_MS, job.setup, signal);
      if (signal?.aborted) break;
      onJob?.(job, code, said);
      await sensor.settle();
      await sleep(pauseMs, undefined, { signal }).catch((error: unknown) => {
        if (!signal?.aborted) throw error;
      });
    }
    return { events: slice.events, jobs: played, drops: sensor.drops() };
  } finally {
    rmSync(programsDir, { recursive: true, force: true });
  }
}
