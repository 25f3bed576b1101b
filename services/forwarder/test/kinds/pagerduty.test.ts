import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createContext, incidentItem, type Received, sendOnce, startReceiver } from '../support.ts';

process.env['RF_TEST_PAGERDUTY'] = 'R0UT1NGKEY';

const sinkAt = (url: string, more = ''): string =>
  `{sink: pager, type: pagerduty, url: '${url}', routingKey: env:RF_TEST_PAGERDUTY${more}}`;
const eventsOf = (received: readonly Received[]) => received.map(({ body }) => JSON.parse(body));
const actionsOf = (received: readonly Received[]): string[] =>
  eventsOf(received).map(({ event_action }) => event_action);
const accepts = () => ({ status: 202, body: { status: 'success', message: 'Event processed' } });

suite('a pagerduty sink', () => {
  test('sends one page for 200 versions of an incident, again only if it gets worse, and resolves it', async () => {
    await using receiver = await startReceiver(accepts);
    const context = createContext();
    const send = (...args: Parameters<typeof incidentItem>) =>
      sendOnce(sinkAt(receiver.url), [incidentItem(...args)], context);
    for (let version = 1; version <= 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    await send(201, { status: 'triaged' });
    await send(202, { status: 'closed' });
    assert.deepEqual(actionsOf(receiver.received), ['trigger', 'trigger', 'acknowledge', 'resolve']);
    const events = eventsOf(receiver.received);
    assert.deepEqual(new Set(events.map(({ dedup_key }) => dedup_key)), new Set([incidentItem(1).group]));
    assert.deepEqual(
      events.slice(0, 2).map(({ routing_key, payload }) => [routing_key, payload.severity]),
      [
        ['R0UT1NGKEY', 'warning'],
        ['R0UT1NGKEY', 'critical'],
      ],
    );
  });

  test('tells who is paged what happened and how to see more', async () => {
    await using receiver = await startReceiver(accepts);
    const title = `Shell\n"${'x'.repeat(5000)}`;
    const item = incidentItem(1, { lead: null, title, hostname: 'web-1' });
    await sendOnce(sinkAt(receiver.url, ", link: 'https://soc.example/{id}'"), [item]);
    const [{ payload, client_url }] = eventsOf(receiver.received);
    assert.match(payload.summary, /^critical: Shell "x+…$/);
    assert.ok(payload.summary.length <= 1024);
    assert.equal(payload.custom_details.Details, `ringfence incident show ${item.group}`);
    assert.equal(client_url, `https://soc.example/${item.group}`);
    assert.equal(receiver.received[0]?.path, '/v2/enqueue');
  });

  test('resolves the page of an incident that became part of another one', async () => {
    await using receiver = await startReceiver(accepts);
    const context = createContext();
    await sendOnce(sinkAt(receiver.url), [incidentItem(1)], context);
    await sendOnce(sinkAt(receiver.url), [incidentItem(2, { state: 'merged', mergedInto: '12ab' })], context);
    assert.deepEqual(actionsOf(receiver.received), ['trigger', 'resolve']);
  });

  test('wakes nobody for an incident that is over when it is first seen', async () => {
    await using receiver = await startReceiver(accepts);
    await sendOnce(sinkAt(receiver.url), [incidentItem(1, { status: 'closed' })]);
    assert.deepEqual(actionsOf(receiver.received), ['resolve']);
  });

  test('after a crash repeats the request with the same key, so that there is no second page', async () => {
    await using receiver = await startReceiver(accepts);
    await sendOnce(sinkAt(receiver.url), [incidentItem(1)]);
    await sendOnce(sinkAt(receiver.url), [incidentItem(1)]);
    const [first, again] = eventsOf(receiver.received);
    assert.deepEqual(again, first);
  });

  test('that is asked for fewer requests sends again what was not taken, and nothing else', async () => {
    await using receiver = await startReceiver((_, count) => (count === 2 ? { status: 429 } : accepts()));
    const context = createContext();
    const items = [incidentItem(1), incidentItem(1, { id: 'other' })];
    await assert.rejects(sendOnce(sinkAt(receiver.url), items, context), { code: 'ERR_SINK_UNAVAILABLE' });
    assert.deepEqual(await sendOnce(sinkAt(receiver.url), items, context), []);
    const keys = eventsOf(receiver.received).map(({ dedup_key }) => dedup_key);
    assert.deepEqual(keys, [items[0]!.group, 'other', 'other']);
  });

  test('refuses the incident that PagerDuty refuses, and sends the others', async () => {
    await using receiver = await startReceiver((_, count) =>
      count === 1 ? { status: 400, body: { status: 'invalid event', errors: ['no'] } } : accepts(),
    );
    const items = [incidentItem(1), incidentItem(1, { id: 'other' })];
    const rejections = await sendOnce(sinkAt(receiver.url), items);
    assert.deepEqual(
      rejections.map(({ item }) => item.group),
      [items[0]!.group],
    );
    assert.match(rejections[0]!.error.message, /answered 400.*invalid event/);
  });
});
