import { KibanaError } from '../errors.ts';
import type { Content, Dashboard } from '../model.ts';
import { dashboardBody } from '../output/dashboards-api.ts';
import { importLines, type SavedObject, savedObjectsOf } from '../output/saved-objects.ts';
import { differencesOf } from './difference.ts';
import { jsonObject, type Kibana, type KibanaAnswer, MAX_REASON_CHARS, objectOf } from './kibana.ts';
import { type Target, targetOf } from './target.ts';

export interface PlannedObject {
  readonly type: SavedObject['type'];
  readonly id: string;
  readonly title: string;
  readonly change: 'create' | 'update' | 'none';
  /** Some of the paths that differ */
  readonly differences: readonly string[];
}

export interface Plan {
  readonly version: string;
  /** How dashboards are written */
  readonly form: 'dashboards-api' | 'saved-objects';
  readonly objects: readonly PlannedObject[];
}

interface Parts {
  readonly target: Target;
  readonly objects: readonly SavedObject[];
  readonly dashboards: readonly Dashboard[];
}

/** Compares the content with what Kibana has, and changes nothing. Rejects with KibanaError. */
export async function planInstallation(kibana: Kibana, content: Content): Promise<Plan> {
  return planOf(kibana, partsOf(await targetOf(kibana), content));
}

/** Writes what differs, under ids of our own, and returns the plan that it carried out. Rejects with KibanaError. */
export async function install(kibana: Kibana, content: Content): Promise<Plan> {
  const parts = partsOf(await targetOf(kibana), content);
  const plan = await planOf(kibana, parts);
  const changed = new Set(plan.objects.filter(({ change }) => change !== 'none').map(keyOf));
  const objects = parts.objects.filter((object) => changed.has(keyOf(object)));
  if (objects.length > 0) await importObjects(kibana, objects);
  for (const dashboard of parts.dashboards)
    if (changed.has(keyOf({ type: 'dashboard', id: dashboard.id })))
      objectOf(dashboard.title, await kibana.sendJson('PUT', dashboardPath(dashboard), dashboardBody(dashboard)));
  return plan;
}

const keyOf = ({ type, id }: Pick<SavedObject, 'type' | 'id'>): string => `${type}/${id}`;
const dashboardPath = ({ id }: Pick<Dashboard, 'id'>): string => `/api/dashboards/${encodeURIComponent(id)}`;

function partsOf(target: Target, content: Content): Parts {
  const objects = savedObjectsOf(content);
  if (!target.takesDashboards) return { target, objects, dashboards: [] };
  return { target, objects: objects.filter(({ type }) => type !== 'dashboard'), dashboards: content.dashboards };
}

async function planOf(kibana: Kibana, { target, objects, dashboards }: Parts): Promise<Plan> {
  const found = await readObjects(kibana, objects);
  const planned = objects.map((object): PlannedObject => {
    const { type, id, attributes } = object;
    const title = String(attributes['name'] ?? attributes['title']);
    const current = found.get(keyOf(object));
    if (current === undefined) return { type, id, title, change: 'create', differences: [] };
    return plannedUpdate({ type, id, title }, comparable(object), comparable(current));
  });
  for (const dashboard of dashboards) planned.push(await plannedDashboard(kibana, dashboard));
  return {
    version: target.version,
    form: target.takesDashboards ? 'dashboards-api' : 'saved-objects',
    objects: planned,
  };
}

function plannedUpdate(
  named: Pick<PlannedObject, 'type' | 'id' | 'title'>,
  wanted: object,
  found: object,
): PlannedObject {
  const differences = differencesOf(wanted, found);
  return { ...named, change: differences.length === 0 ? 'none' : 'update', differences };
}

async function plannedDashboard(kibana: Kibana, dashboard: Dashboard): Promise<PlannedObject> {
  const { id, title } = dashboard;
  const answer = await kibana.get(dashboardPath(dashboard));
  if (answer.status === 404) return { type: 'dashboard', id, title, change: 'create', differences: [] };
  const found = objectOf(title, answer);
  return plannedUpdate({ type: 'dashboard', id, title }, dashboardBody(dashboard), { ...(found['data'] as object) });
}

/** References have no order. */
function comparable({ attributes, references }: Pick<SavedObject, 'attributes' | 'references'>): object {
  const byName = Object.fromEntries(references.map(({ name, type, id }) => [name, `${type}/${id}`]));
  return { attributes, references: byName };
}

/** Returns those of the objects that Kibana has. An export fails as a whole and names what is missing. */
async function readObjects(kibana: Kibana, objects: readonly SavedObject[]): Promise<Map<string, SavedObject>> {
  const first = await exportOf(kibana, objects);
  const missing = first.status === 400 ? missingObjects(first.text) : new Set<string>();
  const present = objects.filter((object) => !missing.has(keyOf(object)));
  if (present.length === 0) return new Map();
  const answer = missing.size === 0 ? first : await exportOf(kibana, present);
  if (answer.status !== 200) objectOf('reading saved objects', answer);
  return new Map(exportedObjects(answer.text).map((object) => [keyOf(object), object]));
}

const exportOf = (kibana: Kibana, objects: readonly SavedObject[]): Promise<KibanaAnswer> => {
  const asked = objects.map(({ type, id }) => ({ type, id }));
  return kibana.sendJson('POST', '/api/saved_objects/_export', { objects: asked, excludeExportDetails: true });
};

function exportedObjects(text: string): SavedObject[] {
  return text.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const { type, id, attributes, references } = jsonObject(line) ?? {};
    if (typeof type !== 'string' || typeof id !== 'string' || typeof attributes !== 'object')
      throw new KibanaError('ERR_KIBANA_ANSWER', 'reading saved objects: a line of the export is no saved object');
    return [{ type, id, attributes, references: objectsIn(references) } as unknown as SavedObject];
  });
}

function missingObjects(text: string): Set<string> {
  const { attributes } = jsonObject(text) ?? {};
  const { objects } = (attributes ?? {}) as { readonly objects?: unknown };
  return new Set(objectsIn(objects).map(({ type, id }) => `${String(type)}/${String(id)}`));
}

/** The objects of a list in an answer, which may be anything. */
const objectsIn = (list: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(list) ? list.filter((one) => typeof one === 'object' && one !== null) : [];

async function importObjects(kibana: Kibana, objects: readonly SavedObject[]): Promise<void> {
  const answer = await kibana.sendLines('/api/saved_objects/_import?overwrite=true', importLines(objects));
  const { success, errors, successResults } = objectOf('importing saved objects', answer);
  if (success !== true) {
    const [first = {}] = objectsIn(errors);
    const { type: cause, message } = (first['error'] ?? {}) as { readonly type?: unknown; readonly message?: unknown };
    const reason = String(message ?? cause ?? 'no reason given').slice(0, MAX_REASON_CHARS);
    throw new KibanaError('ERR_KIBANA_REFUSED', `${namedIn(first)}: ${reason}`);
  }
  const moved = objectsIn(successResults).find(({ destinationId }) => destinationId !== undefined);
  if (moved !== undefined)
    throw new KibanaError(
      'ERR_KIBANA_REFUSED',
      `${namedIn(moved)} exists in another space, so Kibana made a copy with another id: delete the copy, and install in one space only`,
    );
}

const namedIn = ({ type = 'object', id = '?' }: Readonly<Record<string, unknown>>): string =>
  `${String(type)} ${String(id)}`.slice(0, MAX_REASON_CHARS);
