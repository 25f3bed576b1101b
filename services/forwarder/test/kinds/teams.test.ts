import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createContext, incidentItem, sendOnce, startReceiver } from '../support.ts';

const sinkAt = (url: string, more = ''): string => {
  process.env['RF_TEST_TEAMS'] = `${url}/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=s3cret`;
  return `{sink: chat, type: teams, webhook: env:RF_TEST_TEAMS${more}}`;
};
const accepts = () => ({ status: 202, body: '' });

interface Row {
  readonly type: string;
  readonly inlines: readonly { readonly type: string; readonly text: string }[];
}

/** Texts of the rows of a card, the title first */
function rowsOf(body: string): string[] {
  const [{ contentType, content }] = JSON.parse(body).attachments;
  assert.deepEqual([contentType, content.type], ['application/vnd.microsoft.card.adaptive', 'AdaptiveCard']);
  return content.body.map(({ inlines }: Row) => inlines.map(({ text }) => text).join(''));
}

suite('a teams sink', () => {
  test('sends a card when an incident opens, gets worse and closes, and none for the other 197 versions', async () => {
    await using receiver = await startReceiver(accepts);
    const context = createContext();
    const send = (...args: Parameters<typeof incidentItem>) =>
      sendOnce(sinkAt(receiver.url), [incidentItem(...args)], context);
    for (let version = 1; version < 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    await send(200, { status: 'closed' });
    assert.deepEqual(
      receiver.received.map(({ body }) => rowsOf(body)[0]?.split(':')[0]),
      ['New warning incident', 'Now critical', 'Closed'],
    );
    assert.match(receiver.received[0]?.path ?? '', /^\/workflows\/1\/.*&sig=s3cret$/);
  });

  test('shows text of an attacker as text: runs are no Markdown', async () => {
    await using receiver = await startReceiver(accepts);
    const hostile = '[Sign in](https://evil.example) <at>all</at>\n**x**';
    await sendOnce(sinkAt(receiver.url, ", link: 'https://soc.example/{id}'"), [
      incidentItem(1, { lead: null, title: hostile, alerts: [], story: [hostile] }),
    ]);
    const [{ content }] = JSON.parse(receiver.received[0]!.body).attachments;
    assert.deepEqual(new Set(content.body.map(({ type }: Row) => type)), new Set(['RichTextBlock']));
    assert.equal(rowsOf(receiver.received[0]!.body).at(-1), hostile.replace('\n', ' '));
    assert.deepEqual(
      content.actions.map(({ url }: { url: string }) => url),
      [`https://soc.example/${incidentItem(1).group}`],
    );
  });

  test('keeps to the size that Teams takes', async () => {
    await using receiver = await startReceiver(accepts);
    const story = Array(100).fill('\u{1f600}'.repeat(2 ** 16));
    await sendOnce(sinkAt(receiver.url), [incidentItem(1, { alerts: [], story })]);
    const { body } = receiver.received[0]!;
    assert.ok(Buffer.byteLength(body) < 28_000);
  });

  test('sends a digest as one card', async () => {
    await using receiver = await startReceiver(accepts);
    const items = [incidentItem(1), incidentItem(1, { id: 'other' })];
    await sendOnce(sinkAt(receiver.url, ', digest: 1h'), items);
    assert.deepEqual(receiver.received.length, 1);
    assert.equal(rowsOf(receiver.received[0]!.body)[0], '2 incidents');
  });

  test('keeps the signature in its URL out of messages, and waits while Teams wants fewer requests', async () => {
    await using receiver = await startReceiver(() => ({ status: 429, body: '' }));
    await assert.rejects(sendOnce(sinkAt(receiver.url), [incidentItem(1)]), (error: Error) => {
      assert.match(error.message, /^sink chat: http:\/\/127\.0\.0\.1:\d+ answered 429; the far side asks/);
      return true;
    });
  });

  test('refuses a URL without TLS in the secret', async () => {
    await assert.rejects(sendOnce(sinkAt('http://teams.example'), [incidentItem(1)]), {
      code: 'ERR_SINK_SECRET',
      message: /env:RF_TEST_TEAMS.*expected an https:\/\/ URL/,
    });
  });
});
