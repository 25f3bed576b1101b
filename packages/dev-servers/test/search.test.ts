import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from '@elastic/elasticsearch';
import { Client as OpenSearchClient } from '@opensearch-project/opensearch';
import { elasticsearchMissing, opensearchMissing, startElasticsearch, startOpenSearch } from '../src/search.ts';

describe('an Elasticsearch', { skip: elasticsearchMissing() ?? false }, () => {
  test('creates a data stream from the first document, and keeps it over a kill', async () => {
    await using server = await startElasticsearch();
    const client = new Client({ node: server.url });
    const template = { settings: { number_of_replicas: 0 }, mappings: { properties: { kind: { type: 'wildcard' } } } };
    await client.indices.putIndexTemplate({
      name: 'logs-test',
      index_patterns: ['logs-test*'],
      data_stream: {},
      priority: 500,
      template: template as object,
    });
    const operations = [{ create: { _id: '1' } }, { '@timestamp': '2026-01-01T00:00:00Z', kind: 'exec' }];
    const first = await client.bulk({ index: 'logs-test', operations });
    assert.equal(first.items[0]?.create?.status, 201);
    const again = await client.bulk({ index: 'logs-test', operations });
    assert.equal(again.items[0]?.create?.status, 409);
    await server.stop('SIGKILL');
    await server.start();
    await client.indices.refresh({ index: 'logs-test' });
    const found = await client.search({ index: 'logs-test', query: { term: { kind: 'exec' } } });
    assert.deepEqual(
      found.hits.hits.map(({ _id }) => _id),
      ['1'],
    );
    await client.indices.rollover({ alias: 'logs-test' });
    const { data_streams: streams } = await client.indices.getDataStream({ name: 'logs-*' });
    assert.equal(streams[0]?.indices.length, 2);
    await client.indices.deleteDataStream({ name: 'logs-test' });
    assert.deepEqual((await client.indices.getDataStream({ name: 'logs-*' })).data_streams, []);
    await client.close();
  });
});

describe('an OpenSearch', { skip: opensearchMissing() ?? false }, () => {
  test('creates a data stream from the first document, and keeps it over a kill', async () => {
    await using server = await startOpenSearch();
    const client = new OpenSearchClient({ node: server.url });
    await client.indices.putIndexTemplate({
      name: 'logs-test',
      body: {
        index_patterns: ['logs-test*'],
        data_stream: {},
        template: { settings: { number_of_replicas: 0 }, mappings: { properties: { kind: { type: 'wildcard' } } } },
      },
    });
    const body = [{ create: { _id: '1' } }, { '@timestamp': '2026-01-01T00:00:00Z', kind: 'exec' }];
    const first = await client.bulk({ index: 'logs-test', body });
    assert.equal(first.body.items[0]?.create?.status, 201);
    await server.stop('SIGKILL');
    await server.start();
    await client.indices.refresh({ index: 'logs-test' });
    const found = await client.search({ index: 'logs-test', body: { query: { term: { kind: 'exec' } } } });
    assert.deepEqual(
      found.body.hits.hits.map(({ _id }) => _id),
      ['1'],
    );
    await client.close();
  });
});
