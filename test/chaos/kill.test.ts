/**
 * Kills `ringfence up` repeatedly with SIGKILL while a workload runs, at random moments and at named points, and
 * restarts it with the same state. RINGFENCE_CHAOS_KILLS sets the number of random kills.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation } from '../e2e/lib/program.ts';
import { skip } from '../e2e/lib/root.ts';
import { until } from '../e2e/lib/wait.ts';
import { accountOf, assertComplete, assertConsistent } from './lib/account.ts';
import { VICTIM_EVERY, Workload } from './lib/workload.ts';

const KILLS = Number(process.env['RINGFENCE_CHAOS_KILLS'] ?? '6');
const POINTS = ['before-effect', 'before-commit', 'after-commit'];
const SERVICES = ['collector', 'enricher', 'detector', 'responder', 'auditor'];

async function withWorkload(t: TestContext, disturb: (home: Installation) => Promise<void>): Promise<void> {
  await using home = new Installation();
  await using workload = new Workload(home);
  const first = await home.up();
  workload.start();
  await first.says('rfmark5z');
  await first.stop('SIGKILL');
  await disturb(home);
  await using last = await home.up();
  const markers = await workload.finish();
  await until('the last marker in the trail', async () => {
    using audit = home.audit();
    const { executions, alerts } = await accountOf(audit);
    return executions.has(markers - 1) && alerts.has(markers - 1);
  });
  await until('the end of the last victim', () => workload.victims().length === 0);
  const { code, stderr } = await last.stop('SIGINT');
  assert.equal(code, 0, stderr);
  using audit = home.audit();
  const account = await accountOf(audit);
  const { results, incident } = { results: audit.stats().counts.result, incident: audit.stats().counts.incident };
  t.diagnostic(`${markers} markers, ${account.gaps} gaps, ${results} kills, ${incident} incident versions`);
  assertComplete(account, markers);
  await assertConsistent(audit);
  assert.equal(results, Math.ceil(markers / VICTIM_EVERY));
  home.assertClean();
}

describe('kill -9 of the whole program', { skip }, () => {
  test(`loses nothing and duplicates nothing at ${KILLS} random moments`, async (t) => {
    await withWorkload(t, async (home) => {
      const moments: number[] = [];
      for (let n = 0; n < KILLS; n++) {
        const uptimeMs = Math.round(100 + Math.random() * 1900);
        moments.push(uptimeMs);
        await using up = home.start(['up']);
        await sleep(uptimeMs);
        assert.ok(up.alive, up.stderr);
        await up.stop('SIGKILL');
      }
      t.diagnostic(`killed after ${moments.join(', ')} ms`);
    });
  });

  test('loses nothing and duplicates nothing at every named point of every service', async (t) => {
    await withWorkload(t, async (home) => {
      for (const name of SERVICES.flatMap((service) => POINTS.map((point) => `${service}:${point}:3`))) {
        await using up = home.start(['up'], { env: { RINGFENCE_FAILPOINT: name } });
        const ended = await Promise.race([up.ended, sleep(30_000)]);
        assert.equal(ended?.signal, 'SIGKILL', `${name} was not reached: ${up.stdout}${up.stderr}`);
      }
    });
  });
});
