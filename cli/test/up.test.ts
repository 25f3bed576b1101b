import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const absolute = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Prints the modules that `ringfence up --only collector` loads: files by URL, modules of Node by name. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  const urls = new Set();
  registerHooks({ resolve(name, context, next) { const found = next(name, context); urls.add(found.url); return found; } });
  for (const path of ${JSON.stringify([absolute('../src/up/command.ts'), absolute('../src/up/run.ts')])}) await import(path);
  await import('@ringfence/collector');
  console.log(JSON.stringify([...urls, ...process.moduleLoadList]));
`;

test('up with the collector alone loads no broker client, no certificates and no undici, which would stay in memory', () => {
  const flags = [...process.execArgv, '--input-type=module', '--eval', PROGRAM];
  const output = execFileSync(process.execPath, flags, { cwd: absolute('..'), encoding: 'utf8' });
  const loaded = JSON.parse(output) as string[];
  assert.ok(loaded.some((name) => name.includes('services/collector/src/pipeline.ts')));
  const heavy =
    /internal\/deps\/undici|packages\/bus-kafka\/src\/(?:kafka|registry\/(?:client|schema-bus))|packages\/identity\/src\/(?!local|files|errors)|platformatic|@peculiar|services\/(?:auditor|detector|enricher)\/src\/index/;
  assert.deepEqual(
    loaded.filter((name) => heavy.test(name)),
    [],
  );
});
