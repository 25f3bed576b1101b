import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fateOf } from '@ringfence/base';
import { startVictoriaLogs, victoriaLogsMissing } from '@ringfence/dev-servers';
import { alertItem, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

process.env['RF_TEST_LOKI'] = 'secret-1';
const sinkText = (url: string, more = ''): string => `{sink: loki, type: loki, url: '${url}'${more}}`;
const STORED = { status: 204 };

interface Stream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly [time: string, line: string, metadata: Readonly<Record<string, string>>][];
}
const streamsOf = (body: string): readonly Stream[] => (JSON.parse(body) as { streams: readonly Stream[] }).streams;

suite('a Loki sink', () => {
  test('fills VictoriaLogs with each entry, its labels and its texts as they were', {
    skip: victoriaLogsMissing() ?? false,
  }, async () => {
    await using server = await startVictoriaLogs();
    const items = [...HOSTILE.map((text, i) => hostileItem(i + 1, text)), incidentItem(3)];
    assert.deepEqual(await sendOnce(sinkText(`${server.url}/insert`), items), []);
    const found = new Map((await server.query('*')).map((entry) => [entry['ringfence_id'], entry]));
    assert.equal(found.size, items.length);
    for (const { id, at, kind, document } of items) {
      const entry = found.get(id)!;
      assert.equal(Date.parse(entry['_time']!), Math.floor(at / 1000));
      assert.match(entry['_stream']!, new RegExp(`kind="${kind}".*service_name="ringfence"`));
      assert.equal(entry['process.command_line'] ?? '', String(document['process.command_line'] ?? ''));
      assert.equal(entry['host_id'], document['host.id']);
    }
  });

  test('pushes one stream for each kind and severity, at the time of each record, to its tenant', async () => {
    await using receiver = await startReceiver(() => STORED);
    const items = [alertItem(1), alertItem(2), alertItem(3, { priority: 'critical' }), incidentItem(1)];
    await sendOnce(sinkText(receiver.url, ', tenant: sec, token: env:RF_TEST_LOKI, labels: {env: prod}'), items);
    const [{ path, headers, body }] = receiver.received as [(typeof receiver.received)[number]];
    assert.deepEqual(
      [path, headers['x-scope-orgid'], headers.authorization],
      ['/loki/api/v1/push', 'sec', 'Bearer secret-1'],
    );
    const streams = streamsOf(body);
    assert.deepEqual(
      streams.map(({ stream, values }) => [stream, values.length]),
      [
        [{ env: 'prod', kind: 'alert', level: 'warning' }, 2],
        [{ env: 'prod', kind: 'alert', level: 'critical' }, 1],
        [{ env: 'prod', kind: 'incident', level: 'critical' }, 1],
      ],
    );
    assert.equal(streams[0]!.values[0]![0], `${items[0]!.at}000`);
    assert.doesNotMatch(streams[2]!.values[0]![1], /ringfence\.incident\.whole/);
  });

  for (const text of ['entry too far behind, entry timestamp is: x', 'entry for stream has timestamp too old: x']) {
    test(`pushes a single record that is refused with "${text}" at the present time`, async () => {
      await using receiver = await startReceiver((_, count) => (count === 1 ? { status: 400, body: text } : STORED));
      const item = alertItem(1);
      const before = Date.now();
      assert.deepEqual(await sendOnce(sinkText(receiver.url), [item]), []);
      const [time, line] = streamsOf(receiver.received[1]!.body)[0]!.values[0]!;
      assert.ok(Number(BigInt(time) / 1_000_000n) >= before);
      assert.equal(JSON.parse(line)['@timestamp'], item.document['@timestamp']);
    });

    test(`leaves it to the runner to send the records of a batch singly after "${text}"`, async () => {
      await using receiver = await startReceiver(() => ({ status: 400, body: text }));
      await assert.rejects(sendOnce(sinkText(receiver.url), [alertItem(1), alertItem(2)]), {
        code: 'ERR_SINK_REFUSED',
      });
      assert.equal(receiver.received.length, 1);
    });
  }

  for (const { what, status, body = {}, fate } of [
    { what: 'a long line', status: 400, body: 'Max entry size 262144 bytes exceeded', fate: 'poison' },
    { what: 'its rate limit', status: 429, fate: 'retriable' },
    { what: 'a page of a proxy', status: 200, body: '<html>', fate: 'retriable' },
  ]) {
    test(`told of ${what} finds the record ${fate}`, async () => {
      await using receiver = await startReceiver(() => ({ status, body }));
      await assert.rejects(sendOnce(sinkText(receiver.url), [alertItem(1)]), (error) => fateOf(error) === fate);
      assert.equal(receiver.received.length, 1);
    });
  }

  test('of its README loads', () => {
    const [example] = readmeBlocks('loki', 'yaml');
    assert.equal(sinkOf(example!).settings['tenant'], 'security');
  });
});
