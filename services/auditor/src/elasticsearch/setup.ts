import { randomUUID } from 'node:crypto';
import type { Log } from '@ringfence/base';
import type { Cluster } from './cluster.ts';
import { ClusterSetupError } from './errors.ts';
import { INCIDENT, mappingsOf } from './mappings.ts';
import { type ClusterOptions, type IndexNames, namesOf } from './options.ts';
import { type Template, templatesFor } from './templates.ts';

/** Kind and abilities of the cluster. */
export interface ClusterInfo {
  readonly flavour: 'elasticsearch' | 'opensearch';
  readonly version: string;
  /** Whether the cluster rolls data streams over and deletes old indices itself */
  readonly lifecycle: boolean;
}

interface Root {
  readonly version: { readonly number: string; readonly distribution?: string };
}

/** Oldest versions that support data streams with composable index templates. */
const MIN_VERSIONS: Readonly<Record<ClusterInfo['flavour'], readonly [number, number]>> = {
  elasticsearch: [8, 11],
  opensearch: [2, 6],
};

/** Reads the cluster's kind and version. Throws ClusterSetupError when they differ from the settings or are too old. */
export async function probe(cluster: Cluster, options: ClusterOptions): Promise<ClusterInfo> {
  const { body } = await cluster.request<Root>('GET', '/');
  const { number: version, distribution } = body.version;
  const flavour = distribution === 'opensearch' ? 'opensearch' : 'elasticsearch';
  if (flavour !== options.flavour)
    throw new ClusterSetupError(`auditor.sink is ${options.flavour}, but ${options.nodes[0]} is ${flavour} ${version}`);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = MIN_VERSIONS[flavour];
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw new ClusterSetupError(`${flavour} ${version} is too old: ${oldestMajor}.${oldestMinor} or newer is needed`);
  return { flavour, version, lifecycle: flavour === 'elasticsearch' && (await hasLifecycle(cluster)) };
}

/** A cluster without this endpoint does not apply lifecycles. */
async function hasLifecycle(cluster: Cluster): Promise<boolean> {
  const { status } = await cluster.request('GET', '/_data_stream/*/_lifecycle', { expectedStatuses: [400, 404, 405] });
  return status === 200;
}

/** Installs missing or outdated templates and creates the data streams and indices. */
export async function setUpCluster(
  cluster: Cluster,
  options: ClusterOptions,
  log: Log,
): Promise<{ readonly facts: ClusterInfo; readonly trail: string }> {
  const facts = await probe(cluster, options);
  const names = namesOf(options);
  const templates = templatesFor(options, {
    lifecycle: facts.lifecycle,
    elasticsearch: facts.flavour === 'elasticsearch',
  });
  for (const template of templates) await install(cluster, template, log);
  for (const stream of [names.alerts, names.actions, names.audit, names.events]) await ensureStream(cluster, stream);
  for (const index of [names.incidents, names.heads]) await ensureIndex(cluster, index);
  await mapNewFields(cluster, names.incidents, log);
  if (!facts.lifecycle) {
    log.warn(
      { flavour: facts.flavour, version: facts.version },
      'this cluster has no data stream lifecycle: roll over and delete old indices of the logs-* streams yourself',
    );
  }
  return { facts, trail: await createTrailName(cluster, names) };
}

interface Stamp {
  readonly version: number;
  readonly _meta: { readonly digest: string };
}

async function install(cluster: Cluster, { kind, name, body }: Template, log: Log): Promise<void> {
  const path = `/${kind}/${encodeURIComponent(name)}`;
  const response = await cluster.request<Readonly<Record<string, readonly Record<string, Partial<Stamp>>[]>>>(
    'GET',
    path,
    { expectedStatuses: [404] },
  );
  const installed = response.status === 404 ? undefined : Object.values(response.body)[0]?.[0];
  const { version = 0, _meta } = installed?.[kind.slice(1)] ?? {};
  const required = body as Readonly<Record<string, unknown>> & Stamp;
  // Keep the template of a newer auditor: it covers the documents of both versions.
  if (version > required.version || (version === required.version && _meta?.digest === required._meta.digest)) return;
  await cluster.request('PUT', path, { body });
  log.info({ template: name, version: required.version, replaced: version }, 'a template was installed');
}

const ALREADY_EXISTS = [400, 409];

async function ensureStream(cluster: Cluster, name: string): Promise<void> {
  if (await isStream(cluster, name)) return;
  const { status } = await cluster.request('HEAD', `/${name}`, { expectedStatuses: [404] });
  // Another auditor may have created the stream since the first look.
  if (status === 200 && !(await isStream(cluster, name)))
    throw new ClusterSetupError(`${name} is an index, not a data stream: move it away`);
  const { body } = await cluster.request('PUT', `/_data_stream/${name}`, { expectedStatuses: ALREADY_EXISTS });
  if (!(await isStream(cluster, name)))
    throw new ClusterSetupError(`the data stream ${name} cannot be created: ${JSON.stringify(body).slice(0, 500)}`);
}

async function isStream(cluster: Cluster, name: string): Promise<boolean> {
  const { status, body } = await cluster.request<{ data_streams?: readonly unknown[] }>(
    'GET',
    `/_data_stream/${name}`,
    {
      expectedStatuses: [400, 404],
    },
  );
  // OpenSearch also returns 200 for an index, with an empty list.
  return status === 200 && (body.data_streams?.length ?? 0) > 0;
}

async function ensureIndex(cluster: Cluster, name: string): Promise<void> {
  await cluster.request('PUT', `/${name}`, { expectedStatuses: ALREADY_EXISTS });
  const { status } = await cluster.request('HEAD', `/${name}`, { expectedStatuses: [404] });
  if (status !== 200) throw new ClusterSetupError(`the index ${name} cannot be created`);
}

/**
 * Maps fields of the template that the index of incidents does not have yet: it never rolls over. A refusal (the right
 * `manage` is optional) only makes the new fields unsearchable.
 */
async function mapNewFields(cluster: Cluster, index: string, log: Log): Promise<void> {
  const body = mappingsOf(INCIDENT);
  const { status } = await cluster.request('PUT', `/${index}/_mapping`, { body, expectedStatuses: [400, 403] });
  if (status !== 200)
    log.warn(
      { index, status },
      'new fields of incidents cannot be searched: add the mappings of the template to the index',
    );
}

/** Returns the trail's name, which links published heads to this trail. The first auditor creates it. */
async function createTrailName(cluster: Cluster, { heads }: IndexNames): Promise<string> {
  const path = `/${heads}/_create/trail`;
  await cluster.request('PUT', path, { body: { trail: randomUUID() }, expectedStatuses: [409] });
  const { body } = await cluster.request<{ _source: { trail: string } }>('GET', `/${heads}/_doc/trail`);
  return body._source.trail;
}
