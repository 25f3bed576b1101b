import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until `check` returns a value other than false and undefined. Fails with `description` after a timeout that is
 * ample for a loaded machine. An expensive check runs less often, because the awaited work needs the CPU.
 */
export async function until<T>(
  description: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> {
  for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
    const started = performance.now();
    const value = await check();
    if (value !== undefined && value !== false) return value;
    await sleep(Math.min(Math.max(20, 4 * (performance.now() - started)), 1000));
  }
  assert.fail(`waited ${timeoutMs} ms for ${description}`);
}
