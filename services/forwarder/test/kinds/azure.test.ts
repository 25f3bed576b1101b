import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { openSink } from '../../src/settings/load.ts';
import { alertItem, createContext, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { Azure, CLIENT, RULE, TENANT } from './azure-server.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

const yamlOf = (url: string, rule = RULE, more = ''): string => {
  process.env['RF_TEST_AZURE'] = 'the-secret';
  return `{sink: az, type: azure, url: '${url}', login: '${url}', rule: ${rule}, tenant: ${TENANT}, client: ${CLIENT}, secret: env:RF_TEST_AZURE${more}}`;
};

suite('Azure Monitor', () => {
  test('gets each record as a row, whatever its texts contain', async () => {
    const far = new Azure();
    await using receiver = await startReceiver(far.answer);
    const items = [alertItem(1), incidentItem(1), ...HOSTILE.map((text, i) => hostileItem(i + 10, text))];
    await sendOnce(yamlOf(receiver.url), items);
    assert.deepEqual(
      far.rows.map(({ Id }) => Id),
      items.map(({ id }) => id),
    );
    const [row] = far.rows as [Record<string, Record<string, unknown>>];
    assert.equal(row['Document']?.['ringfence.id'], items[0]!.id);
    assert.equal(Date.parse(String(row['TimeGenerated'])), Math.floor(items[0]!.at / 1000));
    await sendOnce(yamlOf(receiver.url, RULE, ', encoding: ocsf'), [alertItem(1)]);
    const [event] = far.rows.slice(-1) as { Document: { class_uid: number } }[];
    assert.equal(event?.Document.class_uid, 2004);
  });

  test('gets a large batch in calls of at most 1 MB, with one token', async () => {
    const far = new Azure();
    await using receiver = await startReceiver(far.answer);
    const items = Array.from({ length: 400 }, (_, i) => alertItem(i, { output: 'x'.repeat(20_000) }));
    await sendOnce(yamlOf(receiver.url), items);
    assert.deepEqual(new Set(far.rows.map(({ Id }) => Id)), new Set(items.map(({ id }) => id)));
    assert.equal(far.tokens, 1);
    await assert.rejects(sendOnce(yamlOf(receiver.url), [alertItem(1, { output: 'x'.repeat(1_000_000) })]), {
      code: 'ERR_SINK_REFUSED',
      message: /413.*ContentLengthLimitExceeded/,
    });
  });

  test('is tried again with a new token after a refusal, and with a new secret', async () => {
    const far = new Azure();
    await using receiver = await startReceiver(far.answer);
    const sink = openSink(sinkOf(yamlOf(receiver.url)), silentLog);
    await sink.send([alertItem(1)], createContext());
    far.tokens++;
    await assert.rejects(sink.send([alertItem(2)], createContext()), { code: 'ERR_SINK_UNAVAILABLE', message: /401/ });
    far.secret = 'another-secret';
    await assert.rejects(sink.send([alertItem(2)], createContext()), {
      code: 'ERR_SINK_UNAVAILABLE',
      message: /401.*AADSTS7000215/,
    });
    process.env['RF_TEST_AZURE'] = 'another-secret';
    await sink.send([alertItem(2)], createContext());
    await sink.close();
    assert.equal(far.rows.length, 2);
  });

  test('that knows no such rule or stream says nothing about the records: they are sent again', async () => {
    const far = new Azure();
    await using receiver = await startReceiver(far.answer);
    for (const yaml of [
      yamlOf(receiver.url, `dcr-${'b2'.repeat(16)}`),
      yamlOf(receiver.url, RULE, ', stream: Custom-Other_CL'),
    ])
      await assert.rejects(sendOnce(yaml, [alertItem(1)]), {
        code: 'ERR_SINK_UNAVAILABLE',
        message: /RecordNotFound|InvalidStream.*check the rule/,
      });
  });

  test('has right settings in its README', () => {
    assert.deepEqual(
      readmeBlocks('azure', 'yaml').map((text) => sinkOf(text).kind.type),
      ['azure'],
    );
  });
});
