/** Everything that replays of recorded attacks raise, in the formats of the sinks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '@ringfence/config';
import { ocsfProblemsOf } from '@ringfence/forwarder/test/ocsf';
import { exportRecording } from '@ringfence/rule-corpus/recordings';
import { type ReplayResult, replay } from '@ringfence/runtime/replay';
import { createLogger } from '@ringfence/telemetry';
import { openRecording } from '@ringfence/wire';

async function replayOf(rule: string): Promise<ReplayResult> {
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-recorded-'));
  try {
    const path = join(directory, 'attack.rec');
    await exportRecording(rule, path);
    await using recording = await openRecording(path);
    const config = loadConfig({ env: {} });
    return await replay(recording, config, createLogger({ ...config.log, level: 'error' }), () => {});
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('the alerts and incidents of recorded attacks are valid OCSF', async () => {
  const counts = { alerts: 0, incidents: 0 };
  for (const rule of [
    'Command of a reverse shell',
    'Interface of the cluster called by hand in a container',
    'Accounts tried from one address, then a login',
    'Set-user-id program made, then used',
  ]) {
    const { alerts, incidents } = await replayOf(rule);
    assert.deepEqual([...ocsfProblemsOf('alert', alerts), ...ocsfProblemsOf('incident', incidents)], [], rule);
    counts.alerts += alerts.length;
    counts.incidents += incidents.length;
  }
  // Which of them make an incident changes with the scores of the rules.
  assert.ok(counts.alerts >= 4 && counts.incidents > 0, JSON.stringify(counts));
});
