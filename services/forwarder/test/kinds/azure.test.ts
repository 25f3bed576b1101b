import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { openSink } from '../../src/settings/load.ts';
import { alertItem, createContext, incidentItem, type Received, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const CLIENT = '00000000-0000-4000-8000-000000000002';
const RULE = `dcr-${'a1'.repeat(16)}`;
const STREAM = 'Custom-Ringfence_CL';

interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** Microsoft's token endpoint and its Logs Ingestion API, as published. */
class Azure {
  secret = 'the-secret';
  tokens = 0;
  readonly rows: Record<string, unknown>[] = [];

  answer = ({ method, path, headers, body }: Received): Answer => {
    if (path === `/${TENANT}/oauth2/v2.0/token`) return this.#token(new URLSearchParams(body));
    const error = (status: number, code: string): Answer => ({ status, body: { error: { code, message: code } } });
    const url = new URL(path, 'http://x');
    if (headers.authorization !== `Bearer token-${this.tokens}`) return error(401, 'InvalidToken');
    if (method !== 'POST' || url.searchParams.get('api-version') !== '2023-01-01')
      return error(400, 'InvalidApiVersion');
    const [, rule, stream] = /^\/dataCollectionRules\/([^/]+)\/streams\/([^/]+)$/.exec(url.pathname) ?? [];
    if (rule !== RULE) return error(404, 'RecordNotFound');
    if (stream !== STREAM) return error(400, 'InvalidStream');
    if (Buffer.byteLength(body) > 1_000_000) return error(413, 'ContentLengthLimitExceeded');
    const rows = JSON.parse(body) as Record<string, unknown>[];
    if (!Array.isArray(rows)) return error(400, 'InvalidRequestFormat');
    this.rows.push(...rows);
    return { status: 204 };
  };

  #token(form: URLSearchParams): Answer {
    if (form.get('grant_type') !== 'client_credentials' || form.get('scope') !== 'https://monitor.azure.com/.default')
      return { status: 400, body: { error: 'invalid_scope' } };
    if (form.get('client_id') !== CLIENT || form.get('client_secret') !== this.secret)
      return { status: 401, body: { error: 'invalid_client', error_description: 'AADSTS7000215' } };
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, access_token: `token-${++this.tokens}` } };
  }
}

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
