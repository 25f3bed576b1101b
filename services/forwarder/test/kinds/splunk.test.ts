import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fateOf } from '@ringfence/base';
import { startVictoriaLogs, victoriaLogsMissing } from '@ringfence/dev-servers';
import { alertItem, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

process.env['RF_TEST_SPLUNK'] = 'token-1';
const sinkText = (url: string, more = ''): string =>
  `{sink: hec, type: splunk, url: '${url}', token: env:RF_TEST_SPLUNK${more}}`;
const SUCCESS = { text: 'Success', code: 0 };

suite('a Splunk sink', () => {
  test('fills VictoriaLogs with each event, its time and its texts as they were', {
    skip: victoriaLogsMissing() ?? false,
  }, async () => {
    await using server = await startVictoriaLogs();
    const items = [...HOSTILE.map((text, i) => hostileItem(i + 1, text)), incidentItem(3)];
    assert.deepEqual(await sendOnce(sinkText(server.url), items), []);
    const found = new Map((await server.query('*')).map((entry) => [entry['event.ringfence.id'], entry]));
    assert.equal(found.size, items.length);
    for (const { id, at, document } of items) {
      const entry = found.get(id)!;
      assert.equal(Math.round(Date.parse(entry['_time']!)), Math.floor(at / 1000));
      const command = String(document['process.command_line'] ?? '');
      assert.equal(entry['event.process.command_line'] ?? '', command);
      assert.equal(entry['sourcetype'], 'ringfence');
    }
  });

  test('waits until the indexers have acknowledged every request', async () => {
    const polls = [{ 0: false, 1: false, 2: false }, { 0: false, 1: true, 2: true }, { 0: true }];
    await using receiver = await startReceiver(({ path }, count) => {
      if (path.endsWith('/event')) return { status: 200, body: { ...SUCCESS, ackId: count - 1 } };
      return { status: 200, body: { acks: polls.shift() } };
    });
    const long = 'x'.repeat(400_000);
    const items = [1, 2, 3, 4, 5, 6].map((n) => alertItem(n, { output: long }));
    await sendOnce(sinkText(receiver.url, ', ack: true, index: security'), items);
    assert.deepEqual(
      receiver.received.map(({ path }) => path.split('/').at(-1)),
      ['event', 'event', 'event', 'ack', 'ack', 'ack'],
    );
    assert.deepEqual(JSON.parse(receiver.received.at(-1)!.body), { acks: [0] });
    const channels = new Set(receiver.received.map(({ headers }) => headers['x-splunk-request-channel']));
    assert.equal(channels.size, 1);
    assert.match(String([...channels][0]), /^[0-9a-f-]{36}$/);
    assert.equal(receiver.received[0]!.headers.authorization, 'Splunk token-1');
  });

  test('without an acknowledgement within the timeout sends the events again', async () => {
    await using receiver = await startReceiver(({ path }) => ({
      status: 200,
      body: path.endsWith('event') ? { ...SUCCESS, ackId: 7 } : { acks: { 7: false } },
    }));
    await assert.rejects(sendOnce(sinkText(receiver.url, ', ack: true, timeout: 500ms'), [alertItem(1)]), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /the indexers have not acknowledged 1 of 1 requests/,
    });
  });

  for (const { what, status = 400, body, ack = false, fate, message } of [
    { what: 'an event without a value', body: { text: 'Event field cannot be blank', code: 13 }, fate: 'poison' },
    {
      what: 'a foreign index',
      body: { text: 'Incorrect index', code: 7 },
      fate: 'retriable',
      message: /correct `index`/,
    },
    { what: 'a wrong token', status: 403, body: { text: 'Invalid token', code: 4 }, fate: 'retriable', message: /403/ },
    { what: 'a full queue', status: 503, body: { text: 'Server is busy', code: 9 }, fate: 'retriable', message: /503/ },
    {
      what: 'another program',
      status: 200,
      body: '<html>\u202eWelcome',
      fate: 'retriable',
      message: /unknown text, "<html>Welcome"/,
    },
    {
      what: 'a token without acknowledgement',
      status: 200,
      body: SUCCESS,
      ack: true,
      fate: 'retriable',
      message: /ack: false/,
    },
  ]) {
    test(`told of ${what} finds the batch ${fate}`, async () => {
      await using receiver = await startReceiver(() => ({ status, body }));
      await assert.rejects(sendOnce(sinkText(receiver.url, `, ack: ${ack}`), [alertItem(1)]), (error: Error) => {
        assert.equal(fateOf(error), fate);
        assert.match(error.message, message ?? /^sink hec: refused: Event field cannot be blank/);
        return true;
      });
    });
  }

  test('of its README loads', () => {
    const [example] = readmeBlocks('splunk', 'yaml');
    assert.equal(sinkOf(example!).settings['ack'], true);
  });
});
