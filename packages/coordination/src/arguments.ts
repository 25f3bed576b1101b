import { BadArgumentError } from './errors.ts';
import type { Bucket, Job } from './port.ts';

export const PAYLOAD_MAX: number = 2 ** 20;
/** Milliseconds for which a queue remembers a job after its end, so that adding its id again has no effect. */
export const KEEP_MS = 3_600_000;
/** Limits on the dead letters and on the completed jobs that a queue keeps. */
export const KEEP_COUNT = 10_000;
export const DEFAULT_ATTEMPTS = 5;
export const DEFAULT_BACKOFF_MS = 250;
export const REASON_MAX = 1024;
const TTL_MAX = 30 * 86_400_000;

/** Names become parts of keys, in which a colon separates the parts. */
export function checkName(label: string, name: string): void {
  if (/^[A-Za-z0-9_./@+=-]{1,256}$/.test(name)) return;
  const got = JSON.stringify(name.slice(0, 60));
  throw new BadArgumentError(`${label} ${got}: expected 1 to 256 characters of A-Z a-z 0-9 _ . / @ + = -`);
}

export function checkTtl(label: string, ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= 1 && ms <= TTL_MAX) return;
  throw new BadArgumentError(`${label} is ${ms} ms: expected an integer from 1 to ${TTL_MAX}`);
}

export function checkBucket({ rate, burst }: Bucket, amount: number): void {
  const fits = rate > 0 && burst >= 1 && Number.isFinite(rate) && Number.isFinite(burst);
  if (fits && amount > 0 && amount <= burst) return;
  throw new BadArgumentError(
    `taking ${amount} from a bucket of burst ${burst} and rate ${rate}/s: expected a rate above 0 and burst ≥ amount > 0`,
  );
}

export function checkCount(by: number): void {
  if (!Number.isSafeInteger(by)) throw new BadArgumentError(`the increment of a counter is ${by}: expected an integer`);
}

export interface CheckedJob extends Required<Job> {}

export function checkJob(job: Job, now: number): CheckedJob {
  const { attempts = DEFAULT_ATTEMPTS, backoffMs = DEFAULT_BACKOFF_MS, runAt = now } = job;
  checkName('queue', job.queue);
  checkName('job', job.id);
  checkTtl(`the backoff of job ${job.id}`, backoffMs);
  if (!Number.isSafeInteger(attempts) || attempts < 1 || attempts > 1000)
    throw new BadArgumentError(`job ${job.id} has ${attempts} attempts: expected 1 to 1000`);
  if (job.payload.byteLength > PAYLOAD_MAX)
    throw new BadArgumentError(
      `the payload of job ${job.id} has ${job.payload.byteLength} bytes: expected at most ${PAYLOAD_MAX}`,
    );
  for (const at of [runAt, job.expiresAt]) {
    if (!Number.isSafeInteger(at) || at > now + TTL_MAX)
      throw new BadArgumentError(
        `job ${job.id} has the time ${at}: expected ms since the epoch, at most 30 days from now`,
      );
  }
  return { ...job, attempts, backoffMs, runAt };
}
