/** The actions of people reach the audit trail of a running `up`, once each. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { loadConfig, parseSet, socketOf } from '@ringfence/config';
import { OperatorLog, operatorOfProcess } from '@ringfence/operators';
import { type AppLog, createLogger } from '@ringfence/telemetry';
import type { OperatorAction } from '@ringfence/wire';
import { ApiClient } from '../src/api/client.ts';
import { routesOf } from '../src/api/routes.ts';
import { serveApi } from '../src/api/server.ts';
import { startApp } from '../src/app.ts';
import type { Deployment } from '../src/deployment/deployment.ts';
import { openOperatorRecords } from '../src/operators.ts';

const DEADLINE_MS = 30_000;

test('a command of before the start, the start itself and a request are in the trail, and a second start repeats none', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-operators-'));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const flags = [`stateDir=${stateDir}`, `runDir=${join(stateDir, 'run')}`, 'services=auditor'].map(parseSet);
  const config = loadConfig({ file: '/dev/null', env: {}, flags });
  await new OperatorLog({ stateDir }).append({ action: 'brokers.apply' }, operatorOfProcess());
  const expected = ['brokers.apply', 'settings.start', 'incident.show'];
  for (const start of [1, 2]) {
    await using app = await startApp(config, createLogger({ level: 'error' }));
    await using _ = await serveApi(socketOf(config), routesOf(app), app.operators.record);
    const client = new ApiClient(socketOf(config), 'a test');
    await assert.rejects(client.json('/incident/inc-1'), /there is no incident inc-1/);
    const wanted = start === 1 ? expected : [...expected, 'settings.start', 'incident.show'];
    let found: OperatorAction[] = [];
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end && found.length < wanted.length; ) {
      found = await Array.fromAsync(client.lines<OperatorAction>('/operators'));
      await sleep(20);
    }
    assert.deepEqual(
      found.map(({ action }) => action),
      wanted,
    );
    assert.deepEqual(
      found.slice(0, 3).map(({ uid, target, reason }) => [uid, target, reason]),
      [
        [process.getuid?.(), '', ''],
        [process.getuid?.(), 'auditor', ''],
        [process.getuid?.(), 'inc-1', 'a test'],
      ],
    );
    assert.match(found[1]?.details['settings.sha256'] ?? '', /^[0-9a-f]{64}$/);
  }
});

test('a state directory that can not be written stops no service, and refuses actions', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-operators-'));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const flags = [`stateDir=${stateDir}`].map(parseSet);
  const config = { ...loadConfig({ file: '/dev/null', env: {}, flags }), stateDir: '/proc/none' };
  const errors: string[] = [];
  const log = {
    ...silentLog,
    error: (_: object, message: string) => errors.push(message),
    child: () => log,
  } as unknown as AppLog;
  const deployment = { bus: { produce: async () => {} }, serviceKey: null, fleet: null } as unknown as Deployment;
  await using records = openOperatorRecords(config, deployment, log);
  await assert.rejects(records.record({ action: 'a.b' }, operatorOfProcess()), /state directory \/proc\/none/);
  await records.note({ action: 'a.b' });
  assert.deepEqual(errors, ['the operator log can not be opened: this process refuses actions of operators']);
});
