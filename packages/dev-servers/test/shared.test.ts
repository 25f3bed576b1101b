import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ask } from '../src/probe.ts';
import { redisMissing } from '../src/redis.ts';
import { hostSharedServers } from '../src/shared.ts';

const skip = redisMissing() ?? false;

const run = promisify(execFile);
const CHILD = join(import.meta.dirname, 'shared-child.ts');

async function asked(name: string, env: NodeJS.ProcessEnv): Promise<{ port: number }> {
  const { stdout } = await run(process.execPath, [...process.execArgv, CHILD, name], { env });
  return JSON.parse(stdout);
}

function answers(port: number): Promise<string | undefined> {
  return ask(port, 'PING\r\nQUIT\r\n');
}

test('the processes of a host share one server, which ends with the host', { skip }, async () => {
  const host = await hostSharedServers();
  const [first, second] = await Promise.all([asked('redis', process.env), asked('redis', process.env)]);
  assert.deepEqual(first, second);
  assert.match((await answers(first.port)) ?? '', /PONG/);
  await host[Symbol.asyncDispose]();
  assert.equal(await answers(first.port), undefined);
});

test('a process without a host starts its own server, which ends with the process', { skip }, async () => {
  const { RINGFENCE_TESTKIT_SHARED: _, ...env } = process.env;
  const { port } = await asked('redis', env);
  assert.equal(await answers(port), undefined);
});
