import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { elasticsearchMissing, opensearchMissing, sharedElasticsearch, sharedOpenSearch } from '@ringfence/dev-servers';
import { ocsfEvent } from '../../src/encode/ocsf/index.ts';
import type { Item } from '../../src/sink.ts';
import { alertItem, incidentItem, sendOnce, sinkOf, startReceiver } from '../support.ts';
import { HOSTILE, hostileItem } from './hostile.ts';
import { readmeBlocks } from './readme.ts';

const PREFIX = `rfsink${process.pid}`;
const sinkText = (url: string, name: string, more = ''): string =>
  `{sink: es, type: elasticsearch, url: '${url}', index: 'logs-${PREFIX}-${name}-{dataset}'${more}}`;

async function call(url: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Installs the template of the README, for indices of this file. */
async function installTemplate(url: string): Promise<void> {
  const [request = ''] = readmeBlocks('elasticsearch', 'json');
  const body = JSON.parse(request.slice(request.indexOf('\n'))) as Record<string, unknown>;
  const patterns = { index_patterns: [`logs-${PREFIX}-*`] };
  await call(url, 'PUT', `/_index_template/logs-${PREFIX}`, { ...body, ...patterns });
}

type Hits = { hits: { hits: readonly { _id: string; _source: Record<string, unknown> }[] } };

async function documentsOf(url: string, name: string): Promise<Map<string, Record<string, unknown>>> {
  await call(url, 'POST', `/logs-${PREFIX}-${name}-*/_refresh`);
  const { hits } = (await call(url, 'GET', `/logs-${PREFIX}-${name}-*/_search?size=100`)) as unknown as Hits;
  return new Map(hits.hits.map(({ _id, _source }) => [_id, _source]));
}

const broken = (item: Item): Item => ({ ...item, document: { ...item.document, '@timestamp': 'yesterday' } }) as Item;

for (const { title, missing, shared } of [
  { title: 'Elasticsearch', missing: elasticsearchMissing(), shared: sharedElasticsearch },
  { title: 'OpenSearch', missing: opensearchMissing(), shared: sharedOpenSearch },
])
  suite(`an Elasticsearch sink to ${title}`, { skip: missing ?? false }, () => {
    test('creates each document once in data streams, with its texts as they were', async () => {
      const { url } = await shared();
      await installTemplate(url);
      const items = [...HOSTILE.map((text, i) => hostileItem(i + 1, text)), incidentItem(3)];
      for (const _ of ['once', 'again']) assert.deepEqual(await sendOnce(sinkText(url, 'all'), items), []);
      const found = await documentsOf(url, 'all');
      assert.equal(found.size, items.length);
      for (const { id, document } of items) {
        const expected = JSON.parse(JSON.stringify({ ...document, 'ringfence.id': id }));
        assert.deepEqual(found.get(id), expected);
      }
      const streams = await call(url, 'GET', `/_data_stream/logs-${PREFIX}-all-*`);
      assert.equal((streams['data_streams'] as unknown[]).length, 2);
    });

    test('stores OCSF in a data stream, with the time that it needs', async () => {
      const { url } = await shared();
      await installTemplate(url);
      const items = [alertItem(1), incidentItem(3)];
      assert.deepEqual(await sendOnce(sinkText(url, 'ocsf', ', encoding: ocsf'), items), []);
      const found = await documentsOf(url, 'ocsf');
      for (const item of items) {
        const { '@timestamp': time, ...event } = found.get(item.id)!;
        assert.equal(Date.parse(String(time)), Math.floor(item.at / 1000));
        assert.deepEqual(event, ocsfEvent(item));
      }
    });

    test('returns a document that does not fit the mapping, and stores the others', async () => {
      const { url } = await shared();
      await installTemplate(url);
      const items = [alertItem(1), broken(alertItem(2)), alertItem(3)];
      const rejections = await sendOnce(sinkText(url, 'broken'), items);
      assert.deepEqual(
        rejections.map(({ item, error }) => [item.id, (error as { code?: string }).code]),
        [[items[1]!.id, 'ERR_SINK_REFUSED']],
      );
      assert.match(rejections[0]!.error.message, /^sink es: refused: 400 document_parsing_exception|mapper_parsing/);
      assert.deepEqual([...(await documentsOf(url, 'broken')).keys()].sort(), [items[0]!.id, items[2]!.id].sort());
    });

    test('sends again what a read-only index refuses', async () => {
      const { url } = await shared();
      await installTemplate(url);
      await sendOnce(sinkText(url, 'blocked'), [alertItem(1)]);
      const settings = `/logs-${PREFIX}-blocked-ringfence.alerts/_settings`;
      await call(url, 'PUT', settings, { 'index.blocks.write': true });
      await assert.rejects(sendOnce(sinkText(url, 'blocked'), [alertItem(2)]), {
        code: 'ERR_SINK_UNAVAILABLE',
        message: /answered 403 cluster_block_exception.*read-only/,
      });
      await call(url, 'PUT', settings, { 'index.blocks.write': null });
      await sendOnce(sinkText(url, 'blocked'), [alertItem(1), alertItem(2)]);
      assert.equal((await documentsOf(url, 'blocked')).size, 2);
    });
  });

suite('an Elasticsearch sink', () => {
  process.env['RF_TEST_ES'] = 'secret-1';
  for (const { settings, expected } of [
    { settings: ', apiKey: env:RF_TEST_ES', expected: 'ApiKey secret-1' },
    { settings: ', user: alice, password: env:RF_TEST_ES', expected: 'Basic YWxpY2U6c2VjcmV0LTE=' },
    { settings: '', expected: undefined },
  ])
    test(`with "${settings}" authorizes as ${expected}, and names the pipeline`, async () => {
      await using receiver = await startReceiver(() => ({
        status: 200,
        body: { items: [{ create: { status: 201 } }] },
      }));
      await sendOnce(sinkText(receiver.url, 'auth', `${settings}, pipeline: a/b`), [alertItem(1)]);
      assert.equal(receiver.received[0]!.headers.authorization, expected);
      assert.match(receiver.received[0]!.path, /&pipeline=a%2Fb$/);
    });

  for (const { what, body } of [
    { what: 'for fewer documents', body: { items: [{ create: { status: 201 } }] } },
    { what: 'for no document', body: { items: [] } },
    { what: 'with a page of a proxy', body: '<html>' },
    {
      what: 'with a missing right',
      body: { items: Array(2).fill({ create: { status: 403, error: { type: 'security_exception' } } }) },
    },
    {
      what: 'with a full queue',
      body: { items: [{ create: { status: 201 } }, { create: { status: 429, error: { type: 'x' } } }] },
    },
  ])
    test(`that is answered ${what} sends the batch again`, async () => {
      await using receiver = await startReceiver(() => ({ status: 200, body }));
      await assert.rejects(sendOnce(sinkText(receiver.url, 'bad'), [alertItem(1), alertItem(2)]), {
        code: 'ERR_SINK_UNAVAILABLE',
      });
    });

  test('of its README loads', () => {
    const [example] = readmeBlocks('elasticsearch', 'yaml');
    assert.equal(sinkOf(example!).settings['index'], 'logs-{dataset}-default');
  });
});
