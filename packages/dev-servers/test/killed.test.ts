import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaMissing } from '../src/kafka.ts';
import { redisMissing, startRedis } from '../src/redis.ts';

function workplaces(pid: number | undefined): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`ringfence-testkit-${pid}-`));
}

test('the servers of a killed process end, and the next process removes their files', {
  skip: kafkaMissing() ?? redisMissing() ?? false,
  timeout: 120_000,
}, async () => {
  const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, 'killed-child.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  const pids: number[] = JSON.parse(printed.toString());
  assert.equal(
    pids.every((pid) => existsSync(`/proc/${pid}`)),
    true,
  );
  assert.equal(workplaces(child.pid).length, 2);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await sleep(20);
  await using _ = await startRedis();
  assert.deepEqual(workplaces(child.pid), []);
});
