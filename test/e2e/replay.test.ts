import assert from 'node:assert/strict';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Installation } from './lib/program.ts';
import { skip } from './lib/root.ts';
import { until } from './lib/wait.ts';

const objects = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const idsOf = (items: readonly Record<string, unknown>[]): string[] => items.map(({ id }) => String(id)).sort();

describe('a recording of the demo', { skip }, () => {
  test('replays to the ids of the live run, and always to the same bytes', async (t) => {
    await using home = new Installation();
    await using up = await home.up();
    const file = join(home.dir, 'attack.rec');
    await using record = home.start(['record', file, '--past']);
    await record.says('recording to');
    assert.equal((await home.run(['demo'])).code, 0);
    await until('the result in the audit trail', async () => {
      using audit = home.audit();
      return audit.stats().counts.result > 0;
    });
    assert.equal((await record.stop('SIGINT')).code, 0);
    assert.equal((await up.stop('SIGINT')).code, 0);
    using audit = home.audit();
    const live = {
      alerts: await Array.fromAsync(audit.alerts({ limit: 1_000_000 })),
      incidents: await Array.fromAsync(audit.incidents({ limit: 1_000_000 })),
      commands: await Array.fromAsync(audit.commands()),
    };

    const first = await home.run(['replay', file, '--json']);
    const second = await home.run(['replay', file, '--json']);
    assert.equal(first.code, 0, first.stderr);
    assert.equal(first.stdout, second.stdout);
    const played = Object.groupBy(objects(first.stdout), ({ record: name }) => String(name));

    // The live run continued shortly after the recording, and other activity of the machine raises alerts, too.
    await t.test('alerts, incidents and commands are the same as in the live run', () => {
      const alerts = new Set(idsOf(played['alert'] ?? []));
      const known = new Set(live.alerts.map(({ id }) => id));
      assert.deepEqual(
        [...alerts].filter((id) => !known.has(id)),
        [],
      );
      const ofDemo = live.alerts.filter(({ container }) => container?.id.startsWith('ringfence-demo-'));
      assert.ok(ofDemo.length >= 8, `${ofDemo.length} alerts`);
      assert.deepEqual(
        ofDemo.filter(({ id }) => !alerts.has(id)).map(({ rule }) => rule),
        [],
      );
      const incidents = new Set(idsOf(played['incident'] ?? []));
      const ofContainer = live.incidents.filter(({ container }) => container?.id.startsWith('ringfence-demo-'));
      assert.equal(ofContainer.length, 1);
      assert.ok(incidents.has(ofContainer[0]?.id ?? ''));
      assert.deepEqual(
        (played['command'] ?? []).map(({ id }) => id).filter((id) => id === live.commands[0]?.id),
        [live.commands[0]?.id],
      );
    });

    await t.test('a replay kills no process', () => {
      assert.deepEqual(
        (played['result'] ?? []).filter(({ outcome }) => outcome === 'executed'),
        [],
      );
    });

    await t.test('without --json it prints the incident', async () => {
      const output = await home.output(['replay', file]);
      assert.match(output, /Cron job written in a container/);
      assert.match(output, /[\d,]+ batch(es)?, [\d,]+ events?, [\d,]+ alerts?, [\d,]+ incidents?/);
    });

    await t.test('a truncated recording and a file that is no recording are reported by name', async () => {
      truncateSync(file, statSync(file).size - 10);
      const cut = await home.run(['replay', file, '--json']);
      assert.equal(cut.code, 1);
      assert.match(cut.stderr, /^ringfence: .*attack\.rec: record \d+ at byte \d+ is cut off/);
      const none = join(home.dir, 'none');
      writeFileSync(none, 'hello');
      const invalid = await home.run(['replay', none]);
      assert.equal(invalid.code, 1);
      assert.match(invalid.stderr, /none is not a recording: make one with ringfence record/);
    });
  });
});
