/**
 * Breaks a fleet of processes on real brokers, Redis and Elasticsearch while simulated hosts continue: nothing may be
 * lost or take effect twice. It takes half the time and half the load of the short form of `npm run chaos`, which runs
 * every case on its own and also has a long form.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { elasticsearchMissing, kafkaMissing, redisMissing } from '@ringfence/dev-servers';
import { CASES } from './cases/index.ts';
import { Auditing } from './lib/account.ts';
import { type ChaosCase, runCase } from './lib/case.ts';
import { ChaosFleet } from './lib/fleet.ts';
import { detailLines, TABLE_HEAD, tableLine } from './lib/report.ts';

const skip = kafkaMissing() ?? redisMissing() ?? elasticsearchMissing() ?? false;

const BATCH_EVERY_MS = 500;

/** Cases that run one after another, with one account for all of them. */
const COMBINED: Readonly<Record<string, readonly string[]>> = {
  'Nothing is lost or duplicated when every service is killed': ['kill-everything'],
  'Nothing is lost or duplicated when Redis loses its data and Elasticsearch refuses writes': [
    'redis-killed-flushed',
    'search-read-only',
  ],
  'Nothing is lost or duplicated when two of three brokers are killed and all connections are cut': [
    'two-brokers-gone',
    'connections-cut',
  ],
};

function combine(name: string, names: readonly string[]): ChaosCase {
  const cases = names.map((caseName) => CASES.find((chaosCase) => chaosCase.name === caseName) as ChaosCase);
  return {
    name,
    title: cases.map(({ title }) => title).join('; '),
    async run(fleet, context) {
      for (const chaosCase of cases) await chaosCase.run(fleet, context);
    },
  };
}

describe('A fleet under failures', { skip, timeout: 600_000 }, () => {
  let fleet: ChaosFleet;
  before(async () => {
    fleet = await ChaosFleet.start(() => {}, BATCH_EVERY_MS);
  });
  after(() => fleet?.[Symbol.asyncDispose]());

  for (const [title, names] of Object.entries(COMBINED))
    test(title, async (t) => {
      const note = (text: string): void => t.diagnostic(text);
      const context = { long: false, pick: (short: number) => Math.ceil(short / 2), note };
      const outcome = await runCase(fleet, combine(title, names), context);
      const lines = [TABLE_HEAD, tableLine(outcome), ...detailLines(outcome)];
      for (const line of lines.slice(0, 2)) note(line);
      assert.ok(!outcome.failed, lines.join('\n'));
    });

  test('the account reports missing and duplicate events', async () => {
    const { agents, store } = fleet;
    const began = (Date.now() - 1000) * 1000;
    const [agent] = agents;
    const [event] = agent?.produced.events ?? [];
    assert.ok(agent !== undefined && event !== undefined);
    agent.produced.events.add('not-produced');
    // Elasticsearch rejects a duplicate id only within the current write index.
    await store.request('POST', `/${store.names.events}/_rollover`);
    await store.request('PUT', `/${store.names.events}/_create/${encodeURIComponent(event)}`, {
      '@timestamp': began / 1000,
    });
    const { rows } = await new Auditing(fleet, began).account();
    const stored = rows.find(({ label }) => label === 'events stored');
    assert.deepEqual(stored?.lost, ['not-produced']);
    assert.deepEqual(stored?.doubled, [event]);
  });
});
