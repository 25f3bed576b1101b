import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contentFor, dashboardBody, placedPanels, savedObjectsOf } from '../src/index.ts';
import type { Chart, Panel, Source } from '../src/model.ts';
import { fieldsOf } from '../src/queries/index.ts';
import { parseKql } from '../src/queries/kql.ts';
import { mappedFields } from './mapped-fields.ts';

const content = contentFor('ringfence');
const panels: readonly { readonly where: string; readonly panel: Panel }[] = content.dashboards.flatMap(
  ({ title, rows }) =>
    rows.flatMap((row) => row.panels.map((panel) => ({ where: `${title} / ${panel.title}`, panel }))),
);
const isChart = (panel: Panel): panel is Chart => panel.type !== 'markdown' && panel.type !== 'search';
const charts = panels.flatMap(({ where, panel }) => (isChart(panel) ? [{ where, chart: panel }] : []));

/** Types of the fields that the auditor's templates map, by source. */
const mapped = mappedFields();
const MAPPING: Readonly<Record<Source, string>> = {
  incidents: 'incidents',
  alerts: 'ecs',
  actions: 'ecs',
  events: 'ecs',
  audit: 'audit',
  heads: 'heads',
};
const typeOf = (source: Source, field: string): string | undefined => mapped.get(`${MAPPING[source]} ${field}`);

describe('dashboards', () => {
  test('have ids of their own, and every panel says what it means if it is empty', () => {
    const ids = savedObjectsOf(content).map(({ type, id }) => `${type} ${id}`);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => id.includes(' ringfence-')));
    for (const { where, panel } of panels) {
      if (panel.type !== 'markdown') assert.match(panel.description, /\b(?:Empty|0|No value):/, where);
      assert.ok(!panel.title.includes('Ringfence'), `${where}: the dashboard has the name already`);
    }
  });

  test('fill rows of 48 columns, with at most 100 panels', () => {
    for (const dashboard of content.dashboards) {
      for (const { panels: row } of dashboard.rows)
        assert.equal(
          row.reduce((sum, { width }) => sum + width, 0),
          48,
          `${dashboard.title}: ${row[0]?.title}`,
        );
      assert.ok(placedPanels(dashboard).length <= 100);
    }
  });

  test('group and measure by fields that the templates map with a fitting type', () => {
    const GROUPS = ['keyword', 'ip', 'boolean', 'long'];
    const NUMBERS = ['long', 'float', 'double', 'date'];
    for (const { where, chart } of charts)
      for (const { field, use } of fieldsOf(chart)) {
        const type = typeOf(chart.source, field) ?? 'not mapped';
        const fitting = use === 'number' ? NUMBERS : [...GROUPS, ...(use === 'any' ? NUMBERS : [])];
        assert.ok(fitting.includes(type), `${where}: ${field} is ${type}`);
      }
  });

  test('have controls and columns by fields that the templates map', () => {
    for (const { title, controls } of content.dashboards)
      for (const { source, field } of controls) assert.equal(typeOf(source, field), 'keyword', `${title}: ${field}`);
    for (const { title, source, columns } of content.searches)
      for (const field of columns) assert.ok(typeOf(source, field), `${title}: ${field}`);
  });

  test('have queries that parse, about fields that the templates map', () => {
    const queries = [
      ...charts.map(({ where, chart }) => ({ where, ...chart })),
      ...content.searches.map((search) => ({ where: search.title, ...search })),
    ];
    for (const { where, source, query } of queries)
      if (query !== undefined)
        for (const field of parseKql(query).fields) assert.ok(typeOf(source, field), `${where}: ${field}`);
  });

  test('show each saved search somewhere, and only those that are installed', () => {
    const shown = new Set(panels.flatMap(({ panel }) => (panel.type === 'search' ? [panel.search.id] : [])));
    assert.deepEqual([...shown].sort(), content.searches.map(({ id }) => id).sort());
  });
});

describe('saved objects', () => {
  test('refer only to objects before them, by names that the object uses', () => {
    const known = new Set<string>();
    for (const { type, id, references, attributes } of savedObjectsOf(content)) {
      for (const reference of references) {
        assert.ok(known.has(`${reference.type} ${reference.id}`), `${id} refers to ${reference.id}`);
        const text = JSON.stringify(attributes);
        for (const part of reference.name.split(':'))
          assert.ok(
            text.includes(part.replace(/^controlGroup_/, '').replace('optionsListDataView', '')),
            `${id}: ${part}`,
          );
      }
      known.add(`${type} ${id}`);
    }
  });

  test('name the streams of the prefix, whatever their namespace', () => {
    const titles = savedObjectsOf(contentFor('acme')).flatMap(({ type, attributes }) =>
      type === 'index-pattern' ? [String(attributes['title'])] : [],
    );
    assert.deepEqual(titles.sort(), [
      'acme-audit-heads',
      'acme-incidents',
      'logs-acme.actions-*',
      'logs-acme.alerts-*',
      'logs-acme.audit-*',
      'logs-acme.events-*',
    ]);
  });
});

/** Keys that the API's objects may have, as its documentation lists them; it refuses others. */
const API_KEYS: Readonly<Record<string, readonly string[]>> = {
  dashboard: ['title', 'description', 'time_range', 'pinned_panels', 'panels'],
  panel: ['type', 'grid', 'config'],
  control: ['type', 'width', 'grow', 'config'],
  controlConfig: ['title', 'data_view_id', 'field_name'],
  markdown: ['title', 'description', 'content'],
  discover_session: ['title', 'description', 'ref_id'],
  metric: ['title', 'description', 'type', 'data_source', 'query', 'metrics'],
  xy: ['title', 'description', 'type', 'query', 'legend', 'layers'],
  data_table: ['title', 'description', 'type', 'data_source', 'query', 'metrics', 'rows'],
  heatmap: ['title', 'description', 'type', 'data_source', 'query', 'metric', 'x', 'y'],
};

test('bodies for the Dashboards API have only keys that it knows', () => {
  type Config = Readonly<Record<string, unknown>>;
  interface Body {
    readonly pinned_panels: readonly { readonly config: Config }[];
    readonly panels: readonly { readonly type: string; readonly config: Config }[];
  }
  const onlyKeys = (object: object, kind: string): void => {
    const unknown = Object.keys(object).filter((key) => !API_KEYS[kind]?.includes(key));
    assert.deepEqual(unknown, [], kind);
  };
  for (const dashboard of content.dashboards) {
    const body = dashboardBody(dashboard) as Body;
    onlyKeys(body, 'dashboard');
    for (const control of body.pinned_panels) {
      onlyKeys(control, 'control');
      onlyKeys(control.config, 'controlConfig');
    }
    for (const panel of body.panels) {
      onlyKeys(panel, 'panel');
      onlyKeys(panel.config, panel.type === 'vis' ? String(panel.config['type']) : panel.type);
    }
  }
});

test('KQL that cannot be read is refused with its position', () => {
  for (const text of ['a :', 'a : "b" c', 'and a : b', '(a : b', 'a > ', 'a : (b)', ': b'])
    assert.throws(() => parseKql(text), SyntaxError, text);
});
