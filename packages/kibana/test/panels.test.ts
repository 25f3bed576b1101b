import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { elasticsearchMissing, sharedElasticsearch } from '@ringfence/dev-servers';
import { contentFor } from '../src/index.ts';
import type { Source } from '../src/model.ts';
import { type Searched, searchOfChart, searchOfSavedSearch } from '../src/queries/index.ts';
import { storeAttack } from './attack.ts';

const PREFIX = `kibana${process.pid}`;
const content = contentFor(PREFIX);
const patternOf = (source: Source): string => content.dataViews.find((view) => view.source === source)?.pattern ?? '';

interface Answer {
  readonly hits: { readonly total: { readonly value: number }; readonly hits: readonly { readonly fields?: object }[] };
  readonly aggregations?: Aggregations;
  readonly _shards: { readonly failed: number };
}
type Aggregations = Readonly<
  Record<string, { readonly buckets?: readonly Aggregations[]; readonly value?: number | null }>
>;

/** Number of buckets without buckets in them. */
function leaves(aggregations: Aggregations | undefined): number {
  const groups = Object.values(aggregations ?? {}).flatMap((value) => (value?.buckets ? [value.buckets] : []));
  if (groups.length === 0) return 1;
  return groups.flat().reduce((sum, bucket) => sum + leaves(bucket), 0);
}

suite('on a recorded attack in Elasticsearch', { skip: elasticsearchMissing() ?? false }, async () => {
  let url = '';
  const search = async ({ source, body }: Searched): Promise<Answer> => {
    const response = await fetch(`${url}/${patternOf(source)}/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Answer;
    assert.equal(response.status, 200, JSON.stringify(answer));
    assert.equal(answer._shards.failed, 0);
    return answer;
  };

  test('the attack is stored', async () => {
    url = (await sharedElasticsearch()).url;
    await storeAttack({ url, prefix: PREFIX });
    const patterns = content.dataViews.map(({ pattern }) => pattern).join();
    const { status } = await fetch(`${url}/${patterns}/_refresh`, { method: 'POST' });
    assert.equal(status, 200);
  });

  for (const { title, rows, controls } of content.dashboards) {
    for (const panel of rows.flatMap((row) => row.panels)) {
      if (panel.type === 'markdown' || panel.type === 'search') continue;
      test(`${title}: "${panel.title}" has data`, async () => {
        const { hits, aggregations } = await search(searchOfChart(panel));
        assert.ok(hits.total.value > 0, 'documents');
        assert.ok(leaves(aggregations) > 0, 'buckets');
      });
    }
    test(`${title}: each control has values`, async () => {
      for (const { source, field } of controls) {
        const body = { size: 0, aggs: { values: { terms: { field, size: 10 } } } };
        const { aggregations } = await search({ source, body });
        assert.ok((aggregations?.['values']?.buckets?.length ?? 0) > 0, field);
      }
    });
  }

  for (const saved of content.searches) {
    test(`${saved.title}: finds documents, and each column has a value in one of them`, async () => {
      const { hits } = await search(searchOfSavedSearch(saved));
      const found = new Set(hits.hits.flatMap(({ fields = {} }) => Object.keys(fields)));
      assert.deepEqual(
        saved.columns.filter((column) => !found.has(column)),
        [],
      );
    });
  }
});
