/** An incident is exported from a running Ringfence, and verified by another process that has nothing else. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, parseSet, socketOf } from '@ringfence/config';
import { routesOf, serveApi, startApp } from '@ringfence/runtime';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { createLogger } from '@ringfence/telemetry';
import { encode, TOPIC } from '@ringfence/wire';
import { type Ended, RINGFENCE, ringfence } from './support.ts';

const DEADLINE_MS = 30_000;

/** Runs `ringfence` in an empty folder without a home, so that it has no settings and no state. */
function elsewhere(folder: string, args: readonly string[]): Promise<Ended> {
  const [node, ...command] = RINGFENCE;
  const env = { PATH: '/nowhere', HOME: folder, RINGFENCE_STATE_DIR: join(folder, 'none') };
  return new Promise((resolve) => {
    execFile(node, [...command, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test('an incident is exported, held and released, verified elsewhere with its root key, and a flipped byte is named', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rf-export-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const flags = [`stateDir=${directory}/state`, `runDir=${directory}/run`, 'services=auditor'].map(parseSet);
  const config = loadConfig({ file: '/dev/null', env: {}, flags });
  await using app = await startApp(config, createLogger({ level: 'error' }));
  await using _ = await serveApi(socketOf(config), routesOf(app), app.operators.record);
  const alerts = [createTestAlert(1), createTestAlert(2)];
  const incident = createTestIncident(alerts, 1);
  await app.deployment.bus.produce([
    ...alerts.map((alert) => ({ topic: TOPIC.alerts, key: 'h', value: encode('Alert', alert) })),
    { topic: TOPIC.incidents, key: 'h', value: encode('Incident', incident) },
  ]);
  for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await sleep(20))
    if ((await app.audit?.incident(incident.id))?.alerts.length === 2) break;
  const out = join(directory, 'inc.zip');
  const env = { RINGFENCE_STATE_DIR: `${directory}/state`, RINGFENCE_RUN_DIR: `${directory}/run` };
  const exported = await ringfence(['incident', 'export', incident.id, '--out', out, '--reason', 'a test'], env);
  assert.equal(exported.code, 0, exported.stderr);
  const root = /--root ([0-9a-f]{64})/.exec(exported.stdout)?.[1] ?? '';
  assert.equal(statSync(out).mode & 0o777, 0o600);

  const incidents = (...args: readonly string[]): Promise<Ended> => ringfence(['incident', ...args], env);
  const unreasoned = await incidents('hold', incident.id);
  assert.deepEqual([unreasoned.code, /needs a reason/.test(unreasoned.stderr)], [1, true]);
  assert.match((await incidents('hold', incident.id, '--reason', 'case 1')).stdout, /is held/);
  assert.match((await incidents('release', incident.id, '--reason', 'closed')).stdout, /is released/);
  assert.match((await incidents('release', incident.id, '--reason', 'again')).stderr, /is not held/);

  const folder = join(directory, 'elsewhere');
  mkdirSync(folder);
  const verified = await elsewhere(folder, ['audit', 'verify', '--bundle', out, '--root', root]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  assert.match(verified.stdout, /chain ringfence\.alerts\/0 alert: 2 records, linked up to a published head/);
  assert.match(verified.stdout, /the bundle is intact/);
  const other = await elsewhere(folder, ['audit', 'verify', '--bundle', out, '--root', 'ab'.repeat(32)]);
  assert.deepEqual([other.code, /leads to the root key/.test(other.stdout)], [1, true]);

  const bytes = readFileSync(out);
  const at = bytes.indexOf('"rule"');
  bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 1;
  writeFileSync(out, bytes);
  const flipped = await elsewhere(folder, ['audit', 'verify', '--bundle', out]);
  assert.equal(flipped.code, 1);
  assert.match(flipped.stdout, /problem {2}\w+\.json \(bytes \d+ to \d+\): differs from its hash in the manifest/);
});
