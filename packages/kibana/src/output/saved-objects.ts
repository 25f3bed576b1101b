import { type PlacedPanel, placedPanels } from '../layout.ts';
import type { Content, Control, Dashboard, IndexView, SavedSearch } from '../model.ts';
import { dataViewId } from '../sources.ts';
import { lensAttributes, lensReference, type Reference } from './lens.ts';

/** A line of an import. The server migrates it from its version, and refuses one from a newer version. */
export interface SavedObject {
  readonly type: 'index-pattern' | 'search' | 'dashboard';
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
  readonly coreMigrationVersion: string;
  readonly typeMigrationVersion: string;
  readonly managed: boolean;
}

/** Forms of the types in Kibana 8.12, the oldest version that is installed to. */
const TYPE_VERSIONS: Readonly<Record<SavedObject['type'], string>> = {
  'index-pattern': '8.0.0',
  search: '8.0.0',
  dashboard: '8.9.0',
};

/** Returns all objects, each after those that it refers to. */
export function savedObjectsOf({ dataViews, searches, dashboards }: Content): SavedObject[] {
  return [...dataViews.map(dataViewObject), ...searches.map(searchObject), ...dashboards.map(dashboardObject)];
}

/** Returns the lines of a file for Stack Management → Saved objects → Import. */
export const importLines = (objects: readonly SavedObject[]): string =>
  objects.map((object) => `${JSON.stringify(object)}\n`).join('');

function savedObject(
  type: SavedObject['type'],
  id: string,
  attributes: SavedObject['attributes'],
  references: readonly Reference[],
): SavedObject {
  const versions = { coreMigrationVersion: '8.8.0', typeMigrationVersion: TYPE_VERSIONS[type] };
  return { type, id, attributes, references, ...versions, managed: false };
}

const dataViewObject = ({ id, name, pattern, timeField }: IndexView): SavedObject =>
  savedObject('index-pattern', id, { title: pattern, name, timeFieldName: timeField }, []);

function searchObject({ id, title, description, source, query, columns }: SavedSearch): SavedObject {
  const index = 'kibanaSavedObjectMeta.searchSourceJSON.index';
  const searchSource = { query: { query: query ?? '', language: 'kuery' }, filter: [], indexRefName: index };
  const attributes = {
    title,
    description,
    columns,
    sort: [['@timestamp', 'desc']],
    grid: {},
    hideChart: true,
    isTextBasedQuery: false,
    kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(searchSource) },
  };
  return savedObject('search', id, attributes, [{ type: 'index-pattern', id: dataViewId(source), name: index }]);
}

function dashboardObject(dashboard: Dashboard): SavedObject {
  const panels = placedPanels(dashboard).map(panelOf);
  const controls = dashboard.controls.map(controlOf);
  const attributes = {
    title: dashboard.title,
    description: dashboard.description,
    version: 1,
    timeRestore: true,
    timeFrom: dashboard.from,
    timeTo: 'now',
    optionsJSON: JSON.stringify({ useMargins: true, syncColors: true, syncCursor: true, hidePanelTitles: false }),
    panelsJSON: JSON.stringify(panels.map(({ panel }) => panel)),
    controlGroupInput: {
      controlStyle: 'oneLine',
      chainingSystem: 'HIERARCHICAL',
      ignoreParentSettingsJSON: '{}',
      panelsJSON: JSON.stringify(Object.fromEntries(controls.map(({ id, control }) => [id, control]))),
    },
    kibanaSavedObjectMeta: {
      searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }),
    },
  };
  const references = [...panels.flatMap((panel) => panel.references), ...controls.map(({ reference }) => reference)];
  return savedObject('dashboard', dashboard.id, attributes, references);
}

function panelOf({ id, panel, grid }: PlacedPanel): { panel: object; references: Reference[] } {
  const { title, description } = panel;
  const shared = { panelIndex: id, gridData: { ...grid, i: id }, title };
  if (panel.type === 'search') {
    const panelRefName = `panel_${id}`;
    const embeddableConfig = { description, enhancements: {} };
    return {
      panel: { ...shared, type: 'search', panelRefName, embeddableConfig },
      references: [{ type: 'search', id: panel.search.id, name: `${id}:${panelRefName}` }],
    };
  }
  if (panel.type === 'markdown') {
    const savedVis = {
      title,
      description,
      type: 'markdown',
      params: { fontSize: 12, openLinksInNewTab: false, markdown: panel.text },
      uiState: {},
      data: { aggs: [], searchSource: { query: { query: '', language: 'kuery' }, filter: [] } },
    };
    return {
      panel: { ...shared, type: 'visualization', embeddableConfig: { savedVis, description, enhancements: {} } },
      references: [],
    };
  }
  const reference = lensReference(panel);
  const embeddableConfig = { attributes: lensAttributes(panel), description, enhancements: {} };
  return {
    panel: { ...shared, type: 'lens', embeddableConfig },
    references: [{ ...reference, name: `${id}:${reference.name}` }],
  };
}

function controlOf(
  { title, source, field }: Control,
  order: number,
): { readonly id: string; readonly control: object; readonly reference: Reference } {
  const id = `control-${order + 1}`;
  const explicitInput = { id, fieldName: field, title, selectedOptions: [], enhancements: {} };
  return {
    id,
    control: { type: 'optionsListControl', order, grow: true, width: 'small', explicitInput },
    reference: { type: 'index-pattern', id: dataViewId(source), name: `controlGroup_${id}:optionsListDataView` },
  };
}
