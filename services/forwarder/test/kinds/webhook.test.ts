import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { suite, test } from 'node:test';
import { fateOf } from '@ringfence/base';
import { alertItem, incidentItem, sendOnce, startReceiver } from '../support.ts';

suite('a webhook', () => {
  test('gets a batch of CloudEvents, signed after Standard Webhooks by each secret', async () => {
    process.env['RF_TEST_HOOK_OLD'] = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    process.env['RF_TEST_HOOK_NEW'] = 'plain';
    await using receiver = await startReceiver();
    const items = [alertItem(1), incidentItem(3)];
    await sendOnce(
      `{sink: hook, type: webhook, url: '${receiver.url}/in', secrets: [env:RF_TEST_HOOK_OLD, env:RF_TEST_HOOK_NEW]}`,
      items,
    );
    const [{ path, headers, body }] = receiver.received as [(typeof receiver.received)[number]];
    assert.equal(path, '/in');
    assert.equal(headers['content-type'], 'application/cloudevents-batch+json');
    const events = JSON.parse(body);
    assert.deepEqual(
      events.map(({ specversion, type, id }: Record<string, string>) => [specversion, type, id]),
      items.map(({ kind, id }) => ['1.0', `ringfence.${kind}`, id]),
    );
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const hmac = (key: Buffer): string => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    const expected = [Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'), Buffer.from('plain')].map(hmac);
    assert.equal(headers['webhook-signature'], expected.join(' '));
  });

  for (const { status, fate } of [
    { status: 400, fate: 'poison' },
    { status: 413, fate: 'poison' },
    { status: 401, fate: 'retriable' },
    { status: 404, fate: 'retriable' },
    { status: 429, fate: 'retriable' },
    { status: 503, fate: 'retriable' },
  ]) {
    test(`that answers ${status} makes the batch ${fate}, with a reason of one line`, async () => {
      await using receiver = await startReceiver(() => ({ status, body: 'no\u001b[2J\nway' }));
      const sending = sendOnce(`{sink: hook, type: webhook, url: '${receiver.url}'}`, [alertItem(1)]);
      await assert.rejects(sending, (error: Error) => {
        assert.equal(fateOf(error), fate);
        assert.match(error.message, new RegExp(`^sink hook: .*answered ${status}: no \\[2J way`));
        return true;
      });
    });
  }

  test('that does not answer within the timeout is unavailable', async () => {
    await using receiver = await startReceiver(() => {
      throw new Error('never reached');
    });
    await assert.rejects(
      sendOnce(`{sink: hook, type: webhook, url: 'http://127.0.0.1:1', timeout: 500ms}`, [alertItem(1)]),
      { code: 'ERR_SINK_UNAVAILABLE', message: /^sink hook: http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/ },
    );
    assert.equal(receiver.received.length, 0);
  });

  test('whose secret is missing is tried again, and the message names the file', async () => {
    await using receiver = await startReceiver();
    const sending = sendOnce(
      `{sink: hook, type: webhook, url: '${receiver.url}', authorization: 'file:/nonexistent/token'}`,
      [alertItem(1)],
    );
    await assert.rejects(sending, { code: 'ERR_SINK_SECRET', fate: 'retriable', message: /file:\/nonexistent\/token/ });
  });
});
