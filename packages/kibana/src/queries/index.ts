/** The searches that Lens and Discover make for panels. */
import { type Chart, type Measure, RARE_DOCUMENTS, type SavedSearch, type Terms } from '../model.ts';
import { parseKql } from './kql.ts';

const METRICS = { unique: 'cardinality', sum: 'sum', average: 'avg', max: 'max', min: 'min' } as const;

export interface Searched {
  readonly source: Chart['source'];
  readonly body: object;
}

export function searchOfChart(chart: Chart): Searched {
  const { buckets, measures } = dimensionsOf(chart);
  const values = Object.fromEntries(measures.flatMap((measure, i) => metricOf(measure, `m${i}`)));
  const aggs = buckets.reduceRight<object>((inner, bucket, i) => ({ [`b${i}`]: { ...bucket, aggs: inner } }), values);
  return { source: chart.source, body: { size: 0, track_total_hits: true, query: queryOf(chart), aggs } };
}

export const searchOfSavedSearch = ({ source, query, columns }: SavedSearch): Searched => ({
  source,
  body: { size: 100, query: queryOf({ query }), fields: columns, sort: [{ '@timestamp': 'desc' }], _source: false },
});

export const queryOf = ({ query }: { readonly query?: string | undefined }): object =>
  query === undefined ? { match_all: {} } : parseKql(query).query;

/** Groups from the outside in, and the measures of the innermost. */
export function dimensionsOf(chart: Chart): { readonly buckets: object[]; readonly measures: readonly Measure[] } {
  switch (chart.type) {
    case 'metric':
      return { buckets: [], measures: [chart.measure] };
    case 'series': {
      const field = chart.source === 'heads' ? 'updated' : '@timestamp';
      const time = { date_histogram: { field, fixed_interval: '1d', min_doc_count: 1 } };
      return { buckets: [...(chart.breakdown ? [bucketOf(chart.breakdown)] : []), time], measures: [chart.measure] };
    }
    case 'table':
      return { buckets: chart.rows.map(bucketOf), measures: chart.measures };
    case 'heatmap':
      return { buckets: [bucketOf(chart.x), bucketOf(chart.y)], measures: [chart.measure] };
  }
}

const bucketOf = ({ field, size, order }: Terms): object =>
  order === 'rare'
    ? { rare_terms: { field, max_doc_count: RARE_DOCUMENTS } }
    : { terms: { field, size, order: order === 'alphabetical' ? { _key: 'asc' } : { _count: 'desc' } } };

const metricOf = (measure: Measure, name: string): [string, object][] =>
  measure.op === 'count' ? [] : [[name, { [METRICS[measure.op]]: { field: measure.field } }]];

/** Every field that a chart aggregates, with what it must be able to do. */
export function fieldsOf(chart: Chart): { readonly field: string; readonly use: 'group' | 'number' | 'any' }[] {
  const all: readonly Terms[] =
    chart.type === 'table'
      ? chart.rows
      : chart.type === 'heatmap'
        ? [chart.x, chart.y]
        : chart.type === 'series' && chart.breakdown !== undefined
          ? [chart.breakdown]
          : [];
  const measured = dimensionsOf(chart).measures.flatMap((measure) =>
    measure.op === 'count'
      ? []
      : [{ field: measure.field, use: measure.op === 'unique' ? ('any' as const) : ('number' as const) }],
  );
  return [...all.map(({ field }) => ({ field, use: 'group' as const })), ...measured];
}
