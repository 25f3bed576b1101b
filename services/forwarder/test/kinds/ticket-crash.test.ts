import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Bus } from '@ringfence/bus';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { encode, type Incident, TOPIC } from '@ringfence/wire';
import { killedRunner, openTestBus, startReceiver, startRunner, until } from '../support.ts';
import { startJira } from './jira-server.ts';
import { startSlack } from './slack-server.ts';
import { startTheHive } from './thehive-server.ts';

interface FarSide extends AsyncDisposable {
  readonly sink: string;
  /** Each ticket, with its state */
  tickets(): readonly string[];
}

async function startPager(): Promise<FarSide> {
  process.env['RF_TEST_PAGERDUTY'] = 'k';
  const receiver = await startReceiver(() => ({ status: 202 }));
  const pages = new Map<string, string>();
  return {
    sink: `{sink: pager, type: pagerduty, url: '${receiver.url}', routingKey: env:RF_TEST_PAGERDUTY}`,
    tickets() {
      for (const { dedup_key, event_action } of receiver.received.map(({ body }) => JSON.parse(body)))
        pages.set(dedup_key, event_action === 'resolve' ? 'closed' : 'open');
      return [...pages.values()];
    },
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

const FAR_SIDES: Readonly<Record<string, () => Promise<FarSide>>> = {
  pagerduty: startPager,
  async jira() {
    const jira = await startJira();
    return { ...jira, tickets: () => jira.issues.map(({ status }) => (status === 'done' ? 'closed' : 'open')) };
  },
  async thehive() {
    const hive = await startTheHive();
    return { ...hive, tickets: () => hive.alerts.map(({ status }) => (status === 'Ignored' ? 'closed' : 'open')) };
  },
  async slack() {
    const slack = await startSlack();
    const messages = () => slack.messages.filter(({ thread_ts }) => thread_ts === undefined);
    return { ...slack, tickets: () => messages().map(({ text }) => (/, closed:/.test(text) ? 'closed' : 'open')) };
  },
};

async function produceVersions(bus: Bus, from: number, count: number, last: Partial<Incident> = {}): Promise<void> {
  const versions = Array.from({ length: count }, (_, i) => createTestIncident([createTestAlert(1)], from + i));
  versions.push({ ...versions.pop()!, ...last });
  await bus.produce(
    versions.map((incident) => ({
      topic: TOPIC.incidents,
      key: incident.hostId,
      value: encode('Incident', incident),
    })),
  );
}

suite('a sink of tickets that is killed with -9', () => {
  for (const { kind, at } of [
    // The far side has the ticket, and the sink's position does not know it yet.
    { kind: 'pagerduty', at: 'before-commit' },
    { kind: 'jira', at: 'before-commit' },
    { kind: 'thehive', at: 'before-commit' },
    // Slack can't tell doubles, so that the message must be known from the position.
    { kind: 'slack', at: 'after-commit' },
  ]) {
    test(`${at} has one ticket for 200 versions of an incident, which it closes (${kind})`, async () => {
      await using far = await FAR_SIDES[kind]!();
      await using test = await openTestBus();
      const sink = far.sink.replace('{', '{batch: 10, ');
      await (await startRunner(test.bus, sink)).close();
      await produceVersions(test.bus, 1, 100);
      await test.bus.close();
      await killedRunner(test.path, sink, at, 1);
      assert.deepEqual(far.tickets(), ['open']);
      await using again = await openTestBus(test.path);
      await produceVersions(again.bus, 101, 100, { status: 'closed' });
      const runner = await startRunner(again.bus, sink);
      await until(async () => (await runner.status()).backlog === 0, 'no backlog');
      const { sent, skipped, refused } = await runner.status();
      await runner.close();
      assert.deepEqual(far.tickets(), ['closed']);
      assert.equal(sent + skipped + refused, at === 'before-commit' ? 200 : 190);
    });
  }
});
