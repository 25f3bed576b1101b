import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../port.ts';

export function job(id: string, overrides: Partial<Job> = {}): Job {
  return { id, queue: 'q', payload: Buffer.from(id), expiresAt: Date.now() + 60_000, ...overrides };
}

/** Asks until `holds`; how long that may take is bounded by what a broken driver would take for ever. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail(`never: ${what}`);
}
