import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { it } from 'node:test';

const root = dirname(dirname(import.meta.dirname));
const TAG = `ringfence-test:${process.pid}`;
const BASE = 'debian:bookworm-slim';
const ANSWER_WITHIN_MS = 15_000;
const PULL_WITHIN_MS = 120_000;

/** An engine that answers, and why the others don't. */
function findEngine(): { engine: string } | { reasons: string } {
  const reasons: string[] = [];
  for (const engine of ['docker', 'podman']) {
    const { status, error, stderr } = spawnSync(engine, ['version'], { encoding: 'utf8', timeout: ANSWER_WITHIN_MS });
    if (status === 0) return { engine };
    reasons.push(`${engine}: ${error === undefined ? stderr.trim().split('\n').at(-1) : 'not installed or silent'}`);
  }
  return { reasons: reasons.join('; ') };
}

it('the image builds, and starts with exactly `ringfence up`', (t) => {
  const found = findEngine();
  if ('reasons' in found) return t.skip(`no container engine answers (${found.reasons})`);
  const { engine } = found;
  const run = (...args: string[]) => spawnSync(engine, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  const held = run('image', 'inspect', BASE).status === 0;
  if (!held && spawnSync(engine, ['pull', '-q', BASE], { timeout: PULL_WITHIN_MS }).status !== 0) {
    return t.skip(`${engine} neither holds ${BASE} nor can pull it`);
  }
  const built = run('build', '-q', '-f', 'deploy/image/Containerfile', '-t', TAG, '.');
  assert.equal(built.status, 0, built.stderr);
  t.after(() => run('rmi', '-f', TAG));
  const started = JSON.parse(run('inspect', TAG).stdout)[0].Config;
  assert.deepEqual([...started.Entrypoint, ...started.Cmd], ['/usr/bin/ringfence', 'up']);
  const help = run('run', '--rm', '--network=none', TAG, '--help');
  assert.equal(help.status, 0, help.stderr);
  assert.match(help.stdout, /ringfence/);
});
