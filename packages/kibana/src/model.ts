/** Where a panel's documents come from: a data view on streams or an index of the auditor (sources.ts). */
export type Source = 'incidents' | 'alerts' | 'actions' | 'events' | 'audit' | 'heads';

/** A number that is computed of a group of documents. */
export type Measure =
  | { readonly op: 'count'; readonly label: string }
  | { readonly op: 'unique' | 'sum' | 'average' | 'max' | 'min'; readonly field: string; readonly label: string };

/** Groups documents by the values of a field. */
export interface Terms {
  readonly field: string;
  readonly label: string;
  /** Number of values shown */
  readonly size: number;
  /**
   * `most`: the largest first measure comes first; `rare`: values of at most `RARE_DOCUMENTS` documents.
   * @default most
   */
  readonly order?: 'most' | 'alphabetical' | 'rare';
}

export const RARE_DOCUMENTS = 3;

interface PanelBase {
  readonly title: string;
  /** Says what the panel shows, and what an empty panel means */
  readonly description: string;
  /** Columns of 48 */
  readonly width: number;
}

interface DataPanel extends PanelBase {
  readonly source: Source;
  /** KQL; absent: all documents */
  readonly query?: string;
}

export interface MetricPanel extends DataPanel {
  readonly type: 'metric';
  readonly measure: Measure;
}

/** A measure over time, stacked by the values of a field. */
export interface SeriesPanel extends DataPanel {
  readonly type: 'series';
  readonly shape: 'line' | 'bar';
  readonly measure: Measure;
  readonly breakdown?: Terms;
}

export interface TablePanel extends DataPanel {
  readonly type: 'table';
  readonly rows: readonly Terms[];
  readonly measures: readonly [Measure, ...Measure[]];
}

export interface HeatmapPanel extends DataPanel {
  readonly type: 'heatmap';
  readonly x: Terms;
  readonly y: Terms;
  readonly measure: Measure;
}

export interface MarkdownPanel extends PanelBase {
  readonly type: 'markdown';
  readonly text: string;
}

/** The documents of a saved search, newest first. */
export interface SearchPanel extends PanelBase {
  readonly type: 'search';
  readonly search: SavedSearch;
}

export type Panel = MetricPanel | SeriesPanel | TablePanel | HeatmapPanel | MarkdownPanel | SearchPanel;
/** A panel that Lens draws. */
export type Chart = MetricPanel | SeriesPanel | TablePanel | HeatmapPanel;

export interface SavedSearch {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly source: Source;
  readonly query?: string;
  readonly columns: readonly string[];
}

/** A filter by a field above the dashboard. It filters all panels, so all their documents should have the field. */
export interface Control {
  readonly title: string;
  readonly source: Source;
  readonly field: string;
}

/** Panels side by side; their widths sum up to 48. */
export interface Row {
  /** Grid units of about 20 pixels */
  readonly height: number;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Start of the time range in date math, such as now-7d; it ends now */
  readonly from: string;
  readonly controls: readonly Control[];
  readonly rows: readonly Row[];
}

/** Everything that is installed, in the names of one cluster. */
export interface Content {
  readonly dataViews: readonly IndexView[];
  readonly searches: readonly SavedSearch[];
  readonly dashboards: readonly Dashboard[];
}

export interface IndexView {
  readonly id: string;
  readonly source: Source;
  /** Name that people see */
  readonly name: string;
  /** Streams or index, with `*` for namespaces */
  readonly pattern: string;
  readonly timeField: string;
}
