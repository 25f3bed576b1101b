import { type Chart, type Measure, RARE_DOCUMENTS, type SeriesPanel, type TablePanel, type Terms } from '../model.ts';
import { dataViewId } from '../sources.ts';

const LAYER = 'layer';
/** Lens's name for whole documents in place of a field. */
const RECORDS = '___records___';
/** Fields whose maximum is a time and not a number. */
const TIMES: ReadonlySet<string> = new Set(['@timestamp', 'updated']);
const OPERATIONS = { unique: 'unique_count', sum: 'sum', average: 'average', max: 'max', min: 'min' } as const;

export interface Reference {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

type Columns = Readonly<Record<string, object>>;

interface Drawing {
  readonly visualizationType: string;
  readonly visualization: object;
  /** By id, in the order in which they group: buckets before measures */
  readonly columns: Columns;
}

/** Returns the attributes of a Lens object of 8.12, as a panel by value has them. */
export function lensAttributes(chart: Chart): object {
  const { visualizationType, visualization, columns } = drawingOf(chart);
  const layer = { columns, columnOrder: Object.keys(columns), incompleteColumns: {}, sampling: 1 };
  return {
    title: chart.title,
    description: chart.description,
    visualizationType,
    type: 'lens',
    references: [lensReference(chart)],
    state: {
      visualization,
      query: { query: chart.query ?? '', language: 'kuery' },
      filters: [],
      datasourceStates: { formBased: { layers: { [LAYER]: layer } } },
      internalReferences: [],
      adHocDataViews: {},
    },
  };
}

export const lensReference = ({ source }: Pick<Chart, 'source'>): Reference => ({
  type: 'index-pattern',
  id: dataViewId(source),
  name: `indexpattern-datasource-layer-${LAYER}`,
});

const PLACE = { layerId: LAYER, layerType: 'data' };

function drawingOf(chart: Chart): Drawing {
  switch (chart.type) {
    case 'metric':
      return {
        visualizationType: 'lnsMetric',
        visualization: { ...PLACE, metricAccessor: 'measure' },
        columns: { measure: measureColumn(chart.measure, false) },
      };
    case 'series':
      return seriesDrawing(chart);
    case 'table':
      return tableDrawing(chart);
    case 'heatmap':
      return {
        visualizationType: 'lnsHeatmap',
        visualization: { ...PLACE, ...HEATMAP, valueAccessor: 'measure', xAccessor: 'x', yAccessor: 'y' },
        columns: {
          x: termsColumn(chart.x, 'measure'),
          y: termsColumn(chart.y, 'measure'),
          measure: measureColumn(chart.measure, true),
        },
      };
  }
}

function seriesDrawing({ breakdown, measure, shape, source }: SeriesPanel): Drawing {
  const seriesType = shape === 'line' ? 'line' : 'bar_stacked';
  const split = breakdown === undefined ? {} : { splitAccessor: 'breakdown' };
  return {
    visualizationType: 'lnsXY',
    visualization: {
      legend: { isVisible: breakdown !== undefined, position: 'right' },
      valueLabels: 'hide',
      preferredSeriesType: seriesType,
      axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: false },
      layers: [{ ...PLACE, seriesType, xAccessor: 'time', accessors: ['measure'], ...split }],
    },
    columns: {
      ...(breakdown === undefined ? {} : { breakdown: termsColumn(breakdown, 'measure') }),
      time: timeColumn(source === 'heads' ? 'updated' : '@timestamp'),
      measure: measureColumn(measure, true),
    },
  };
}

function tableDrawing({ rows, measures }: TablePanel): Drawing {
  const columns = Object.fromEntries([
    ...rows.map((terms, i) => [`row${i}`, termsColumn(terms, 'measure0')] as const),
    ...measures.map((measure, i) => [`measure${i}`, measureColumn(measure, true)] as const),
  ]);
  const shown = Object.keys(columns).map((columnId) => ({ columnId }));
  // Long titles wrap instead of being cut.
  return { visualizationType: 'lnsDatatable', visualization: { ...PLACE, rowHeight: 'auto', columns: shown }, columns };
}

const HEATMAP = {
  shape: 'heatmap',
  legend: { isVisible: true, position: 'right', type: 'heatmap_legend' },
  gridConfig: {
    type: 'heatmap_grid',
    isCellLabelVisible: true,
    isXAxisLabelVisible: true,
    isYAxisLabelVisible: true,
    isXAxisTitleVisible: false,
    isYAxisTitleVisible: false,
  },
};

const timeColumn = (field: string): object => ({
  label: field,
  dataType: 'date',
  operationType: 'date_histogram',
  sourceField: field,
  isBucketed: true,
  scale: 'interval',
  params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
});

function termsColumn({ field, label, size, order = 'most' }: Terms, by: string): object {
  const orderBy =
    order === 'most'
      ? { type: 'column', columnId: by }
      : order === 'rare'
        ? { type: 'rare', maxDocCount: RARE_DOCUMENTS }
        : { type: 'alphabetical', fallback: false };
  return {
    label,
    customLabel: true,
    dataType: 'string',
    operationType: 'terms',
    sourceField: field,
    isBucketed: true,
    scale: 'ordinal',
    params: {
      size,
      orderBy,
      orderDirection: order === 'alphabetical' ? 'asc' : 'desc',
      otherBucket: false,
      missingBucket: false,
      parentFormat: { id: 'terms' },
      include: [],
      exclude: [],
      includeIsRegex: false,
      excludeIsRegex: false,
    },
  };
}

/** `emptyAsNull`: nothing is drawn where there is no document; otherwise a 0. */
function measureColumn(measure: Measure, emptyAsNull: boolean): object {
  const { op, label } = measure;
  const shared = { label, customLabel: true, isBucketed: false, scale: 'ratio' };
  if (op === 'count')
    return {
      ...shared,
      dataType: 'number',
      operationType: 'count',
      sourceField: RECORDS,
      params: { emptyAsNull },
    };
  const dataType = TIMES.has(measure.field) ? 'date' : 'number';
  const format = op === 'average' ? { format: { id: 'number', params: { decimals: 0 } } } : {};
  const params = { emptyAsNull, ...format };
  return { ...shared, dataType, operationType: OPERATIONS[op], sourceField: measure.field, params };
}
