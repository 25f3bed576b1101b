import { placedPanels } from '../layout.ts';
import {
  type Chart,
  type Control,
  type Dashboard,
  type Measure,
  type Panel,
  RARE_DOCUMENTS,
  type Terms,
} from '../model.ts';
import { dataViewId } from '../sources.ts';

const OPERATIONS = { unique: 'unique_count', sum: 'sum', average: 'average', max: 'max', min: 'min' } as const;

/** Returns the body of `PUT /api/dashboards/ID` of Kibana 9.4 or newer. */
export function dashboardBody(dashboard: Dashboard): object {
  return {
    title: dashboard.title,
    description: dashboard.description,
    time_range: { from: dashboard.from, to: 'now' },
    pinned_panels: dashboard.controls.map(controlOf),
    panels: placedPanels(dashboard).map(({ panel, grid }) => ({ grid, ...panelOf(panel) })),
  };
}

const controlOf = ({ title, source, field }: Control): object => ({
  type: 'options_list_control',
  width: 'small',
  grow: true,
  config: { title, data_view_id: dataViewId(source), field_name: field },
});

function panelOf(panel: Panel): { readonly type: string; readonly config: object } {
  const { title, description } = panel;
  if (panel.type === 'markdown') return { type: 'markdown', config: { title, description, content: panel.text } };
  if (panel.type === 'search')
    return { type: 'discover_session', config: { title, description, ref_id: panel.search.id } };
  const query = panel.query === undefined ? {} : { query: { language: 'kql', expression: panel.query } };
  return { type: 'vis', config: { title, description, ...query, ...chartOf(panel) } };
}

function chartOf(chart: Chart): object {
  const source = { data_source: { type: 'data_view_reference', ref_id: dataViewId(chart.source) } };
  switch (chart.type) {
    case 'metric':
      return { type: 'metric', ...source, metrics: [{ type: 'primary', ...measureOf(chart.measure) }] };
    case 'series': {
      const { breakdown, shape } = chart;
      const layer = {
        type: shape === 'line' ? 'line' : 'bar_stacked',
        ...source,
        x: { operation: 'date_histogram', field: chart.source === 'heads' ? 'updated' : '@timestamp' },
        y: [measureOf(chart.measure)],
        ...(breakdown === undefined ? {} : { breakdown_by: termsOf(breakdown) }),
      };
      const visibility = breakdown === undefined ? 'hidden' : 'visible';
      return { type: 'xy', legend: { position: 'right', visibility }, layers: [layer] };
    }
    case 'table':
      return { type: 'data_table', ...source, metrics: chart.measures.map(measureOf), rows: chart.rows.map(termsOf) };
    case 'heatmap':
      return { type: 'heatmap', ...source, metric: measureOf(chart.measure), x: termsOf(chart.x), y: termsOf(chart.y) };
  }
}

function measureOf(measure: Measure): object {
  const { op, label } = measure;
  if (op === 'count') return { operation: op, label };
  const format = op === 'average' ? { format: { type: 'number', decimals: 0 } } : {};
  return { operation: OPERATIONS[op], field: measure.field, label, ...format };
}

/** The largest first measure comes first without `rank_by`. */
function termsOf({ field, label, size, order = 'most' }: Terms): object {
  const rank =
    order === 'most'
      ? {}
      : {
          rank_by:
            order === 'rare' ? { type: 'rare', max: RARE_DOCUMENTS } : { type: 'alphabetical', direction: 'asc' },
        };
  return { operation: 'terms', fields: [field], limit: size, label, ...rank };
}
