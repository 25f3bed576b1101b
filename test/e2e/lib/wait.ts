import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until there is an answer; fails, with what was waited for, when there is none for far longer than a loaded machine needs. A question that costs
 * much (a process, a whole topic) is asked more seldom: what is waited for needs the machine.
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> {
  for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
    const asked = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await sleep(Math.min(Math.max(20, 4 * (performance.now() - asked)), 1000));
  }
  assert.fail(`waited ${timeoutMs} ms for ${what}`);
}
