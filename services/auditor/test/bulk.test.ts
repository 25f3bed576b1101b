import assert from 'node:assert/strict';
import test from 'node:test';
import { fateOf } from '@ringfence/base';
import { bulk } from '../src/elasticsearch/bulk.ts';
import type { Cluster, ClusterResponse, ItemError } from '../src/elasticsearch/cluster.ts';

const LIMITS = { bulkBytes: 1000, bulkConcurrency: 1 };

const store = (error: ItemError): ReturnType<typeof bulk> => {
  const items = [{ create: { _index: 'i', status: 400, error } }];
  const cluster: Cluster = {
    request: async <T>() => ({ status: 200, body: { errors: true, items } }) as ClusterResponse<T>,
    close: async () => {},
  };
  return bulk(cluster, [{ index: 'i', id: 'a', document: {} }], LIMITS);
};

test('a document is rejected for the reason of the error, not for text that the error quotes', async () => {
  for (const text of ['validation_exception', 'index_closed_exception:', 'no matching index template']) {
    const reason = `failed to parse field [x]. Preview of field's value: '${text}'`;
    const [outcome] = await store({ type: 'document_parsing_exception', reason, caused_by: { reason: text } });
    assert.equal(outcome?.outcome, 'rejected', text);
  }
});

test('a document is retried when the cluster lacks shards, a template or an open index', async () => {
  for (const error of [
    { type: 'validation_exception', reason: 'Validation Failed: 1: this action would add [2] shards' },
    { type: 'index_closed_exception', reason: 'closed' },
    { type: 'illegal_argument_exception', reason: 'no matching index template found for data stream [i]' },
  ])
    await assert.rejects(store(error), (thrown) => fateOf(thrown) === 'retriable');
});
