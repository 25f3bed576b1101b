import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../port.ts';

export function job(id: string, overrides: Partial<Job> = {}): Job {
  return { id, queue: 'q', payload: Buffer.from(id), expiresAt: Date.now() + 60_000, ...overrides };
}

/** Polls until `holds` returns true. Fails after 1500 attempts, so that a broken driver cannot block the tests. */
export async function until(condition: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1500; attempt++) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail(`timed out waiting until ${condition}`);
}
