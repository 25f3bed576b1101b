import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Bus } from '@ringfence/bus';
import { decode, type Result, TOPIC } from '@ringfence/wire';

/** A process that a test may stop and kill. */
export interface Victim extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
}

export function startVictim(): Victim {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  const { pid } = child;
  assert.ok(pid !== undefined);
  return {
    pid,
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Waits for the first `count` Results. */
export async function firstResults(bus: Bus, count: number): Promise<Result[]> {
  const results: Result[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.results, follow: true, signal: AbortSignal.timeout(10_000) })) {
    if (value !== null) results.push(decode('Result', value));
    if (results.length >= count) break;
  }
  return results;
}

export async function all<T>(bus: Bus, topic: string, read: (value: Uint8Array) => T): Promise<T[]> {
  const items: T[] = [];
  for await (const { value } of bus.read({ topic })) if (value !== null) items.push(read(value));
  return items;
}
