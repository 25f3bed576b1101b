import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
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
  test('gives the ids of the live run, and the same bytes each time', async (t) => {
    await using home = new Installation();
    await using up = await home.up();
    const file = join(home.dir, 'attack.rec');
    await using record = home.start(['record', file, '--past']);
    await record.says('recording to');
    assert.equal((await home.run(['demo'])).code, 0);
    const live = {
      alerts: objects(await home.output(['alerts', '--json', '--limit', '100000'])),
      incidents: objects(await home.output(['incidents', '--json', '--limit', '100000'])),
      commands: await until('the order', async () => {
        using audit = home.audit();
        const found = await Array.fromAsync(audit.commands());
        return found.length > 0 && found;
      }),
    };
    await until('a whole second after the last event', async () => {
      const last = objects(await home.output(['events', '--json', '--limit', '1']))[0];
      return Date.parse(String(last?.['@timestamp'])) < Date.now() || undefined;
    });
    assert.equal((await record.stop('SIGINT')).code, 0);
    assert.equal((await up.stop('SIGINT')).code, 0);

    const first = await home.run(['replay', file, '--json']);
    const second = await home.run(['replay', file, '--json']);
    assert.equal(first.code, 0, first.stderr);
    assert.equal(first.stdout, second.stdout);
    const played = Object.groupBy(objects(first.stdout), ({ record: name }) => String(name));

    await t.test('alerts, incidents and orders are those of the live run', () => {
      assert.deepEqual(idsOf(played['alert'] ?? []), idsOf(live.alerts));
      assert.deepEqual(idsOf(played['incident'] ?? []), idsOf(live.incidents));
      assert.deepEqual(
        (played['command'] ?? []).map(({ id }) => id),
        live.commands.map(({ id }) => id),
      );
    });

    await t.test('a replay kills nobody', () => {
      assert.deepEqual(
        (played['result'] ?? []).filter(({ outcome }) => outcome === 'executed'),
        [],
      );
    });

    await t.test('without --json it tells the incident', async () => {
      const told = await home.output(['replay', file]);
      assert.match(told, /Cron job written in a container/);
      assert.match(told, /\d+ batches, \d+ events, \d+ alerts, 1 incidents/);
    });

    await t.test('a recording that is cut off, and a file that is none, are named', async () => {
      truncateSync(file, 100_000);
      const cut = await home.run(['replay', file, '--json']);
      assert.equal(cut.code, 1);
      assert.match(cut.stderr, /^ringfence: .*attack\.rec: record \d+ at byte \d+ is cut off/);
      const none = join(home.dir, 'none');
      writeFileSync(none, 'hello');
      const other = await home.run(['replay', none]);
      assert.equal(other.code, 1);
      assert.match(other.stderr, /none is not a recording: make one with ringfence record/);
    });
  });
});
