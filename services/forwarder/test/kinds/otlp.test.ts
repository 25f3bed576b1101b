import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fateOf } from '@ringfence/base';
import { collectorMissing, startCollector, startVictoriaLogs, victoriaLogsMissing } from '@ringfence/dev-servers';
import { alertItem, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

process.env['RF_TEST_OTLP'] = 'secret-1';
const sinkText = (url: string, more = ''): string => `{sink: otel, type: otlp, url: '${url}'${more}}`;
const createItems = () => [...HOSTILE.map((text, i) => hostileItem(i + 1, text)), incidentItem(3)];

/** A value of OTLP in JSON. */
interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
}
interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}
interface LogRecord {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: AnyValue;
  readonly attributes: readonly KeyValue[];
}
interface LogsRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}

const plain = ({ arrayValue, kvlistValue, intValue, ...value }: AnyValue): unknown => {
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(plain);
  if (kvlistValue !== undefined) return plainObject(kvlistValue.values ?? []);
  return intValue === undefined ? Object.values(value)[0] : Number(intValue);
};
const plainObject = (pairs: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));

suite('an OTLP sink', () => {
  for (const format of ['protobuf', 'json']) {
    test(`gives a collector each record in ${format}, with its time, severity and fields as they were`, {
      skip: collectorMissing() ?? false,
    }, async () => {
      await using target = await startReceiver();
      await using collector = await startCollector(target.url);
      const items = createItems();
      assert.deepEqual(await sendOnce(sinkText(collector.url, `, format: ${format}`), items), []);
      const [{ resource, scopeLogs }] = (JSON.parse(target.received[0]!.body) as LogsRequest).resourceLogs as [
        LogsRequest['resourceLogs'][number],
      ];
      const { 'host.id': hostId, 'host.name': hostname, 'service.name': service } = plainObject(resource.attributes);
      const [{ document: first }] = items as [(typeof items)[number]];
      assert.deepEqual([hostId, hostname, service], [first['host.id'], first['host.name'], 'ringfence']);
      const records = scopeLogs.flatMap(({ logRecords }) => logRecords);
      assert.equal(records.length, items.length);
      for (const [i, { id, kind, at, document }] of items.entries()) {
        const { timeUnixNano, severityText, severityNumber, body, eventName, attributes } = records[i]!;
        assert.deepEqual(
          [timeUnixNano, severityText, severityNumber, eventName, plain(body)],
          [
            `${at}000`,
            kind === 'alert' ? 'warning' : 'critical',
            kind === 'alert' ? 13 : 18,
            `ringfence.${kind}`,
            document['message'],
          ],
        );
        const elsewhere = ['@timestamp', 'message', 'host.id', 'host.name', 'ringfence.incident.whole'];
        const rest = Object.entries({ ...document, 'ringfence.id': id }).filter(([name]) => !elsewhere.includes(name));
        assert.deepEqual(plainObject(attributes), JSON.parse(JSON.stringify(Object.fromEntries(rest))));
      }
    });
  }

  test('fills VictoriaLogs', { skip: victoriaLogsMissing() ?? false }, async () => {
    await using server = await startVictoriaLogs();
    const items = createItems();
    assert.deepEqual(await sendOnce(sinkText(`${server.url}/insert/opentelemetry`), items), []);
    const found = new Map((await server.query('*')).map((entry) => [entry['ringfence.id'], entry]));
    assert.equal(found.size, items.length);
    for (const { id, document } of items)
      assert.equal(found.get(id)!['process.command_line'] ?? '', String(document['process.command_line'] ?? ''));
  });

  test('logs in by its token', async () => {
    await using receiver = await startReceiver(() => ({ status: 200, body: '' }));
    await sendOnce(sinkText(receiver.url, ', token: env:RF_TEST_OTLP, headers: {x-team: sec}'), [alertItem(1)]);
    const [{ path, headers }] = receiver.received as [(typeof receiver.received)[number]];
    assert.deepEqual([path, headers.authorization, headers['x-team']], ['/v1/logs', 'Bearer secret-1', 'sec']);
  });

  for (const { what, status = 200, body = '', fate } of [
    {
      what: 'that one record is refused',
      body: { partialSuccess: { rejectedLogRecords: '1', errorMessage: 'no\nway' } },
      fate: 'poison',
    },
    { what: 'that the request is bad', status: 400, fate: 'poison' },
    { what: 'that the queue is full', status: 503, fate: 'retriable' },
    { what: 'that the token is wrong', status: 401, fate: 'retriable' },
  ]) {
    test(`told ${what} finds the batch ${fate}`, async () => {
      await using receiver = await startReceiver(() => ({ status, body }));
      const sending = sendOnce(sinkText(receiver.url, ', format: json'), [alertItem(1)]);
      await assert.rejects(sending, (error) => fateOf(error) === fate);
    });
  }

  test('does not take a page of a proxy for a confirmation', async () => {
    const headers = { 'content-type': 'text/html' };
    await using receiver = await startReceiver(() => ({ status: 200, body: '<html>Log in', headers }));
    await assert.rejects(sendOnce(sinkText(receiver.url), [alertItem(1)]), { message: /no OTLP but "<html>Log in"/ });
  });

  test('of its README loads', () => {
    const [example] = readmeBlocks('otlp', 'yaml');
    assert.deepEqual(sinkOf(example!).common.send, ['alerts', 'incidents']);
  });
});
