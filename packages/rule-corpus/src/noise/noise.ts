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
  /** Time for which jobs run; the last one still ends by itself. @default each job runs once */
  readonly seconds?: number;
  /** Number of the job that runs first. @default 0 */
  readonly first?: number;
  /** Pause between two jobs, as on a machine that is idle at times. @default 0 */
  readonly pauseMs?: number;
  /** @default all jobs */
  readonly jobs?: readonly Job[];
  /** Ends the current job and the measurement. */
  readonly signal?: AbortSignal;
  /** Called with each RawBatch of the jobs' events, signed by `key`. */
  readonly onBatch: (batch: Buffer) => void;
  /** Called after each job, with its exit code and the last part of its standard error. */
  readonly onJob?: (job: Job, code: number | null, stderr: string) => void;
}

export interface Noise {
  readonly hostId: string;
  readonly key: SigningKey;
}

export function newNoise(): Noise {
  return { hostId: randomUUID(), key: createSigningKey() };
}

/**
 * Runs jobs under a sensor that filters nothing, and reports the events of their processes, but not of the rest of this
 * machine.
 */
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
      // The script is in a file, since shells of healthy machines have no whole script in their command line.
      writeFileSync(join(programsDir, 'job.sh'), job.script);
      const { code, stderr } = await sandbox.play('. /opt/lab/job.sh', JOB_LIMIT_MS, job.setup, signal);
      if (signal?.aborted) break;
      onJob?.(job, code, stderr);
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
