import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until there is an answer; fails, with what was waited for, when there is none for far longer than a loaded machine needs. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> {
  for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(20)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
  }
  assert.fail(`waited ${timeoutMs} ms for ${what}`);
}
