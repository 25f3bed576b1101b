/**
 * A fleet of processes on real brokers, Redis and Elasticsearch is broken while simulated hosts go on: nothing is lost, nothing has its effect twice.
 * Half as long, and under half the load, of the short form of `npm run chaos`, which has every case by itself, and a long form.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { elasticsearchMissing, kafkaMissing, redisMissing } from '@ringfence/testkit/servers';
import { CASES } from './cases/index.ts';
import { Auditing } from './lib/account.ts';
import { type ChaosCase, runCase } from './lib/case.ts';
import { ChaosFleet } from './lib/fleet.ts';
import { detailLines, TABLE_HEAD, tableLine } from './lib/report.ts';

const skip = kafkaMissing() ?? redisMissing() ?? elasticsearchMissing() ?? false;

const BATCH_EVERY_MS = 500;

/** One after the other, and one account of all. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  'every service is killed': ['kill-everything'],
  'Redis is lost and Elasticsearch refuses': ['redis-killed-flushed', 'search-read-only'],
  'two of three brokers are gone, then every connection': ['two-brokers-gone', 'connections-cut'],
};

function together(name: string, names: readonly string[]): ChaosCase {
  const cases = names.map((one) => CASES.find((some) => some.name === one) as ChaosCase);
  return {
    name,
    title: cases.map(({ title }) => title).join('; '),
    async run(fleet, context) {
      for (const one of cases) await one.run(fleet, context);
    },
  };
}

describe('a fleet in trouble', { skip, timeout: 600_000 }, () => {
  let fleet: ChaosFleet;
  before(async () => {
    fleet = await ChaosFleet.start(() => {}, BATCH_EVERY_MS);
  });
  after(() => fleet?.[Symbol.asyncDispose]());

  for (const [title, names] of Object.entries(TOGETHER))
    test(title, async (t) => {
      const say = (what: string): void => t.diagnostic(what);
      const context = { long: false, pick: (short: number) => Math.ceil(short / 2), say };
      const outcome = await runCase(fleet, together(title, names), context);
      const told = [TABLE_HEAD, tableLine(outcome), ...detailLines(outcome)];
      for (const line of told.slice(0, 2)) say(line);
      assert.ok(!outcome.failed, told.join('\n'));
    });

  test('the account notices what is missing and what is there twice', async () => {
    const { agents, store } = fleet;
    const began = (Date.now() - 1000) * 1000;
    const [agent] = agents;
    const [event] = agent?.produced.events ?? [];
    assert.ok(agent !== undefined && event !== undefined);
    agent.produced.events.add('nobody');
    // Elasticsearch keeps ids apart in the index that is being written only.
    await store.ask('POST', `/${store.names.events}/_rollover`);
    await store.ask('PUT', `/${store.names.events}/_create/${encodeURIComponent(event)}`, {
      '@timestamp': began / 1000,
    });
    const { rows } = await new Auditing(fleet, began).account();
    const stored = rows.find(({ what }) => what === 'events stored');
    assert.deepEqual(stored?.lost, ['nobody']);
    assert.deepEqual(stored?.doubled, [event]);
  });
});
