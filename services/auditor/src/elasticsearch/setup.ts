import { randomUUID } from 'node:crypto';
import type { Log } from '@ringfence/base';
import type { Cluster } from './cluster.ts';
import { ClusterSetupError } from './errors.ts';
import { type ClusterOptions, type Names, namesOf } from './options.ts';
import { type Template, templatesFor } from './templates.ts';

/** What the cluster is and can do. */
export interface ClusterFacts {
  readonly flavour: 'elasticsearch' | 'opensearch';
  readonly version: string;
  /** rolls data streams over and lets go of old ones by itself */
  readonly lifecycle: boolean;
}

interface Root {
  readonly version: { readonly number: string; readonly distribution?: string };
}

/** Data streams with `_index_template` and templates' components are there from these on. */
const OLDEST: Readonly<Record<ClusterFacts['flavour'], readonly [number, number]>> = {
  elasticsearch: [8, 11],
  opensearch: [2, 6],
};

/** Asks what the cluster is. Throws ClusterSetupError when it isn't what the settings say, or too old. */
export async function probe(cluster: Cluster, options: ClusterOptions): Promise<ClusterFacts> {
  const { body } = await cluster.request<Root>('GET', '/');
  const { number: version, distribution } = body.version;
  const flavour = distribution === 'opensearch' ? 'opensearch' : 'elasticsearch';
  if (flavour !== options.flavour)
    throw new ClusterSetupError(`auditor.sink is ${options.flavour}, but ${options.nodes[0]} is ${flavour} ${version}`);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST[flavour];
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw new ClusterSetupError(`${flavour} ${version} is too old: ${oldestMajor}.${oldestMinor} or newer is needed`);
  return { flavour, version, lifecycle: flavour === 'elasticsearch' && (await hasLifecycle(cluster)) };
}

/** Where nothing answers under that path, nobody would carry a lifecycle out. */
async function hasLifecycle(cluster: Cluster): Promise<boolean> {
  const { status } = await cluster.request('GET', '/_data_stream/*/_lifecycle', { expect: [400, 404, 405] });
  return status === 200;
}

/** Installs what is missing or older, and makes sure that what should be a data stream is one. */
export async function setUp(
  cluster: Cluster,
  options: ClusterOptions,
  log: Log,
): Promise<{ readonly facts: ClusterFacts; readonly trail: string }> {
  const facts = await probe(cluster, options);
  const names = namesOf(options);
  const templates = templatesFor(options, {
    lifecycle: facts.lifecycle,
    elasticsearch: facts.flavour === 'elasticsearch',
  });
  for (const template of templates) await install(cluster, template, log);
  for (const stream of [names.alerts, names.actions, names.audit, names.events]) await ensureStream(cluster, stream);
  for (const index of [names.incidents, names.heads]) await ensureIndex(cluster, index);
  if (!facts.lifecycle) {
    log.warn(
      { flavour: facts.flavour, version: facts.version },
      'this cluster has no data stream lifecycle: rolling over and deleting old indices of logs-* streams is left to you',
    );
  }
  return { facts, trail: await trailOf(cluster, names) };
}

interface Stamp {
  readonly version: number;
  readonly _meta: { readonly digest: string };
}

async function install(cluster: Cluster, { kind, name, body }: Template, log: Log): Promise<void> {
  const path = `/${kind}/${encodeURIComponent(name)}`;
  const found = await cluster.request<Readonly<Record<string, readonly Record<string, Partial<Stamp>>[]>>>(
    'GET',
    path,
    { expect: [404] },
  );
  const present = found.status === 404 ? undefined : Object.values(found.body)[0]?.[0];
  const { version = 0, _meta } = present?.[kind.slice(1)] ?? {};
  const wanted = body as Readonly<Record<string, unknown>> & Stamp;
  // One that a newer auditor wrote stays: it knows the documents of both.
  if (version > wanted.version || (version === wanted.version && _meta?.digest === wanted._meta.digest)) return;
  await cluster.request('PUT', path, { body });
  log.info({ template: name, version: wanted.version, replaced: version }, 'a template was installed');
}

const ALREADY_THERE = [400, 409];

async function ensureStream(cluster: Cluster, name: string): Promise<void> {
  if (await isStream(cluster, name)) return;
  const { status } = await cluster.request('HEAD', `/${name}`, { expect: [404] });
  if (status === 200)
    throw new ClusterSetupError(`${name} is no data stream: an index of that name stands in its place; move it away`);
  const { body } = await cluster.request('PUT', `/_data_stream/${name}`, { expect: ALREADY_THERE });
  if (!(await isStream(cluster, name)))
    throw new ClusterSetupError(`the data stream ${name} can't be made: ${JSON.stringify(body).slice(0, 500)}`);
}

async function isStream(cluster: Cluster, name: string): Promise<boolean> {
  const { status, body } = await cluster.request<{ data_streams?: readonly unknown[] }>(
    'GET',
    `/_data_stream/${name}`,
    {
      expect: [400, 404],
    },
  );
  // OpenSearch answers for an index too, with an empty list.
  return status === 200 && (body.data_streams?.length ?? 0) > 0;
}

async function ensureIndex(cluster: Cluster, name: string): Promise<void> {
  await cluster.request('PUT', `/${name}`, { expect: ALREADY_THERE });
  const { status } = await cluster.request('HEAD', `/${name}`, { expect: [404] });
  if (status !== 200) throw new ClusterSetupError(`the index ${name} can't be made`);
}

/** The trail's name: what heads noted elsewhere belong to. Whoever comes first gives it. */
async function trailOf(cluster: Cluster, { heads }: Names): Promise<string> {
  const path = `/${heads}/_create/trail`;
  await cluster.request('PUT', path, { body: { trail: randomUUID() }, expect: [409] });
  const { body } = await cluster.request<{ _source: { trail: string } }>('GET', `/${heads}/_doc/trail`);
  return body._source.trail;
}
