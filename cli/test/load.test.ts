import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Prints what a process has loaded that runs the collector alone: modules of ours and of others by URL, those of Node by name. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  const urls = new Set();
  registerHooks({ resolve(name, context, next) { const found = next(name, context); urls.add(found.url); return found; } });
  for (const path of ${JSON.stringify([here('../src/up/command.ts'), here('../src/up/run.ts')])}) await import(path);
  await import('@ringfence/collector');
  console.log(JSON.stringify([...urls, ...process.moduleLoadList]));
`;

test('a collector alone loads neither drivers of brokers, nor certificates, nor undici: each stays in its memory', () => {
  const flags = [...process.execArgv, '--input-type=module', '--eval', PROGRAM];
  const loaded = JSON.parse(execFileSync(process.execPath, flags, { cwd: here('..'), encoding: 'utf8' })) as string[];
  assert.ok(loaded.some((name) => name.includes('services/collector/src/agent.ts')));
  const heavy =
    /internal\/deps\/undici|packages\/bus-kafka\/src\/(?:kafka|registry\/(?:client|schema-bus))|packages\/identity\/src\/(?!local)|platformatic|@peculiar|services\/(?:auditor|detector|enricher)\/src\/index/;
  assert.deepEqual(
    loaded.filter((name) => heavy.test(name)),
    [],
  );
});
