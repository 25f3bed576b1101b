import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createTestAlert, createTestIncident } from '@ringfence/synthetic';
import { encode, TOPIC } from '@ringfence/wire';
import {
  createContext,
  incidentItem,
  openTestBus,
  sendOnce,
  sinkOf,
  startReceiver,
  startRunner,
  until,
} from '../support.ts';
import { type Message, startSlack } from './slack-server.ts';

suite('a slack sink with a bot', () => {
  test('has one message for 200 versions of an incident, and replies to it when there is news', async () => {
    await using slack = await startSlack();
    const context = createContext();
    const send = (...args: Parameters<typeof incidentItem>) => sendOnce(slack.sink, [incidentItem(...args)], context);
    for (let version = 1; version <= 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    await send(201, { status: 'contained' });
    await send(202, { status: 'closed', verdict: 'true_positive' });
    const [message, ...replies] = slack.messages;
    assert.match(message?.text ?? '', /^critical, closed: Version 202 of a shell/);
    assert.deepEqual(
      replies.map(({ thread_ts, text }) => [thread_ts, text]),
      [
        [message?.ts, 'Now critical: new'],
        [message?.ts, 'Contained: contained'],
        [message?.ts, 'Closed: closed, true positive'],
      ],
    );
  });

  test('says of an incident that became part of another one which that is', async () => {
    await using slack = await startSlack();
    const context = createContext();
    await sendOnce(slack.sink, [incidentItem(1)], context);
    await sendOnce(slack.sink, [incidentItem(2, { state: 'merged', mergedInto: '12ab' })], context);
    assert.equal(slack.messages.at(-1)?.text, 'Closed: part of incident 12ab');
  });

  test('posts anew when somebody has deleted the message', async () => {
    await using slack = await startSlack();
    const context = createContext();
    await sendOnce(slack.sink, [incidentItem(1)], context);
    slack.messages.length = 0;
    await sendOnce(slack.sink, [incidentItem(2)], context);
    assert.match(slack.messages[0]?.text ?? '', /^New critical incident: Version 2/);
  });

  test('lets no text of an attacker mention people, make links or leave its block', async () => {
    await using slack = await startSlack();
    const hostile = '<!channel> <https://evil.example|Sign in> & ``` *bold*\n\u202e';
    await sendOnce(slack.sink, [incidentItem(1, { lead: null, title: hostile, alerts: [], story: [hostile] })]);
    const [{ text, blocks } = { text: '', blocks: [] }] = slack.messages;
    const escaped = '&lt;!channel&gt; &lt;https://evil.example|Sign in&gt; &amp;';
    assert.equal(text, `New critical incident: ${escaped} \`\`\` *bold*`);
    const sections = blocks.filter(({ type }) => type === 'section').map((block) => block.text.text);
    assert.match(sections.at(-1) ?? '', /^```\n&lt;!channel&gt; [^<>`]*''' \*bold\*\n```$/);
    assert.doesNotMatch(JSON.stringify(blocks), /[<>\u202e]/);
  });

  test('keeps to the limits of a message, whatever is in it', async () => {
    await using slack = await startSlack();
    const hostile = '&'.repeat(2 ** 20);
    await sendOnce(slack.sink, [
      incidentItem(1, { lead: null, title: hostile, alerts: [], story: Array(100).fill(hostile) }),
    ]);
    const [{ blocks } = { blocks: [] }] = slack.messages;
    assert.ok(blocks.length < 50);
    assert.ok(blocks[0]!.text.text.length <= 150);
    for (const { text } of blocks) assert.ok(text.text.length <= 3000);
    assert.match(blocks.at(-1)?.text.text ?? '', /and \d+ more lines/);
  });

  for (const { error, code } of [
    { error: 'invalid_auth', code: 'ERR_SINK_UNAVAILABLE' },
    { error: 'channel_not_found', code: 'ERR_SINK_UNAVAILABLE' },
    { error: 'ratelimited', code: 'ERR_SINK_UNAVAILABLE' },
  ]) {
    test(`keeps the incident while Slack says ${error}`, async () => {
      await using slack = await startSlack(() => error);
      await assert.rejects(sendOnce(slack.sink, [incidentItem(1)]), {
        code,
        message: new RegExp(`Slack says ${error}`),
      });
    });
  }

  test('gives up only the message that Slack refuses', async () => {
    await using slack = await startSlack((_, count) => (count === 1 ? 'msg_too_long' : undefined));
    const items = [incidentItem(1), incidentItem(1, { id: 'other' })];
    const rejections = await sendOnce(slack.sink, items);
    assert.deepEqual(
      rejections.map(({ error }) => error.message),
      ['sink chat: refused: Slack says msg_too_long'],
    );
    assert.equal(slack.messages.length, 1);
  });

  test('makes no second message when it fails between two incidents and sends again', async () => {
    await using slack = await startSlack((_, count) => (count === 2 ? 'internal_error' : undefined));
    const context = createContext();
    const items = [incidentItem(1), incidentItem(1, { id: 'other' })];
    await assert.rejects(sendOnce(slack.sink, items, context));
    await sendOnce(slack.sink, items, context);
    assert.equal(slack.messages.length, 2);
  });
});

suite('a slack sink with a webhook', () => {
  const sinkAt = (url: string, more = ''): string => {
    process.env['RF_TEST_SLACK_HOOK'] = `${url}/services/T0/B0/s3cret`;
    return `{sink: chat, type: slack, to: {webhook: env:RF_TEST_SLACK_HOOK}${more}}`;
  };

  test('tells only news: messages of a webhook can not be changed', async () => {
    await using receiver = await startReceiver(() => ({ status: 200, body: 'ok' }));
    const context = createContext();
    for (let version = 1; version <= 200; version++)
      await sendOnce(sinkAt(receiver.url), [incidentItem(version)], context);
    await sendOnce(sinkAt(receiver.url), [incidentItem(201, { status: 'closed' })], context);
    assert.deepEqual(
      receiver.received.map(({ path, body }) => [path, JSON.parse(body).text.split(':')[0]]),
      [
        ['/services/T0/B0/s3cret', 'New critical incident'],
        ['/services/T0/B0/s3cret', 'Closed'],
      ],
    );
  });

  test('keeps the secret in its URL out of messages', async () => {
    await using receiver = await startReceiver(() => ({ status: 404, body: 'no_service' }));
    await assert.rejects(sendOnce(sinkAt(receiver.url), [incidentItem(1)]), (error: Error) => {
      assert.match(error.message, /answered 404: no_service/);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
  });

  test('sends a digest of many incidents as one message, the worst first', async () => {
    await using receiver = await startReceiver(() => ({ status: 200, body: 'ok' }));
    const items = Array.from({ length: 60 }, (_, i) =>
      incidentItem(1, {
        id: `inc-${i}`,
        severity: i === 59 ? 'emergency' : 'warning',
        ...(i === 0 && { status: 'closed' }),
      }),
    );
    await sendOnce(sinkAt(receiver.url, ', digest: 1h'), items);
    assert.equal(receiver.received.length, 1);
    const { text, blocks } = JSON.parse(receiver.received[0]!.body);
    assert.equal(text, '60 incidents, 1 of them closed');
    const lines = blocks.slice(1).flatMap((block: Message['blocks'][number]) => block.text.text.split('\n'));
    const shown = lines.filter((line: string) => line !== '```');
    assert.match(shown[0], /^emergency, new: Version 1 of a shell.*: ringfence incident show inc-59$/);
    assert.equal(shown.at(-1), 'and 20 more');
  });

  test('collects what changes in the time of a digest, each incident once', async () => {
    await using receiver = await startReceiver(() => ({ status: 200, body: 'ok' }));
    await using bus = await openTestBus();
    const runner = await startRunner(bus.bus, sinkAt(receiver.url, ', digest: 1s'));
    const incidents = Array.from({ length: 20 }, (_, i) =>
      createTestIncident([createTestAlert(i % 2)], 1 + Math.floor(i / 2)),
    );
    const records = incidents.map((incident) => ({
      topic: TOPIC.incidents,
      key: incident.hostId,
      value: encode('Incident', incident),
    }));
    await bus.bus.produce(records);
    await until(async () => (await runner.status()).backlog === 0, 'no backlog');
    await runner.close();
    assert.deepEqual(
      receiver.received.map(({ body }) => JSON.parse(body).text),
      ['2 incidents'],
    );
  });

  test('takes either a bot or a webhook', () => {
    assert.throws(
      () => sinkOf('{sink: chat, type: slack, to: {webhook: env:A, token: env:B}}'),
      /to: unknown key "token"/,
    );
    assert.throws(
      () => sinkOf('{sink: chat, type: slack, to: [env:A]}'),
      /to: expected \{token: file:\/PATH, channel: ID\} or \{webhook: file:\/PATH\}/,
    );
  });
});
