import type { InRecord } from '@ringfence/bus';
import { type Alert, type AuditKind, decode, type Incident } from '@ringfence/wire';
import { AuditError } from '../errors.ts';
import { unpack } from '../packing.ts';
import type { IncidentDossier } from '../sqlite/read/dossier.ts';
import type { ListQuery } from '../sqlite/read/list.ts';
import type { SourceRange, TrailReader } from '../trail-reader.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { type AuditSource, idOf } from './documents/audit.ts';
import { ClusterRequestError } from './errors.ts';
import { type ClusterOptions, type IndexNames, namesOf } from './options.ts';

const PAGE = 100;
/** Maximum number of alerts, of commands and of results of an incident. */
const MAX_RELATED = 10_000;
/** Number of versions to look for: more than are normally published between two refreshes. */
const MAX_OLDER_VERSIONS = 50;

interface Hit<S> {
  readonly _id: string;
  readonly _source: S;
  readonly sort?: readonly unknown[];
}

type IncidentSource = Readonly<Record<string, unknown>>;

interface AuditDocument {
  readonly ringfence: { readonly audit: AuditSource };
}

/** Largest payload of an entry: records of the bus are smaller. A document may name any size. */
const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;
const OK = 200;

/** Yields items. What can't be read in an answer of the cluster ends in ClusterRequestError. */
async function* readable<T>(items: string, source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    throw unreadable(items, error);
  }
}

function unreadable(items: string, error: unknown): AuditError {
  if (error instanceof AuditError) return error;
  const reason = `the answer is not one of an audit trail: ${error instanceof Error ? error.message : String(error)}`;
  return new ClusterRequestError(`reading ${items}`, OK, reason, { cause: error });
}

/**
 * Reads records from the audit stream of a cluster. Records stored in the last seconds may not be visible yet. Every
 * method rejects with the errors of errors.ts. `follow` in a query has no effect: follow the bus instead.
 */
export class ClusterReader implements TrailReader, AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #names: IndexNames;

  constructor(options: ClusterOptions) {
    this.#cluster = openCluster(options);
    this.#names = namesOf(options);
  }

  async *alerts(query: ListQuery<Alert> = {}): AsyncGenerator<Alert, void, undefined> {
    const filter = [{ term: { 'ringfence.audit.kind': 'alert' } }, ...rangeOf('ringfence.audit.timestamp', query, 1)];
    const sort = [{ 'ringfence.audit.timestamp': 'desc' }, { 'ringfence.audit.hash': 'asc' }];
    const pages = this.#pages<AuditDocument>(this.#names.audit, filter, sort);
    const alerts = newest(query, pages, async (hits) => hits.map(({ _source }) => decode('Alert', payloadOf(_source))));
    yield* readable('alerts', alerts);
  }

  async *incidents(query: ListQuery<Incident> = {}): AsyncGenerator<Incident, void, undefined> {
    const filter = rangeOf('@timestamp', query, 1000);
    const sort = [{ '@timestamp': 'desc' }, { 'ringfence.incident.id': 'asc' }];
    const pages = this.#pages<IncidentSource>(this.#names.incidents, filter, sort);
    yield* readable(
      'incidents',
      newest(query, pages, (hits) => this.#incidentsOf(hits)),
    );
  }

  /** Yields the records of a source partition between two offsets, as the bus had them. */
  async *recordsOf({ topic, partition, from, to }: SourceRange): AsyncGenerator<InRecord, void, undefined> {
    const filter = [
      { term: { 'ringfence.audit.topic': topic } },
      { term: { 'ringfence.audit.partition': partition } },
      { range: { 'ringfence.audit.offset': { gte: from, lt: to } } },
    ];
    const sort = [{ 'ringfence.audit.offset': 'asc' }];
    for await (const hits of this.#pages<AuditDocument>(this.#names.audit, filter, sort))
      for (const { _source: source } of hits) {
        const { offset, timestamp } = source.ringfence.audit;
        yield { topic, partition, offset, key: '', value: payloadOf(source), timestamp };
      }
  }

  async incident(id: string): Promise<IncidentDossier | undefined> {
    try {
      return await this.#dossier(id);
    } catch (error) {
      throw unreadable(`incident ${id}`, error);
    }
  }

  async #dossier(id: string): Promise<IncidentDossier | undefined> {
    const path = `/${this.#names.incidents}/_doc/${encodeURIComponent(idOf('incident', id))}`;
    const { status, body } = await this.#cluster.request<Hit<IncidentSource>>('GET', path, {
      expectedStatuses: [404],
    });
    if (status === 404) return undefined;
    const [incident] = await this.#incidentsOf([body]);
    if (incident === undefined) return undefined;
    const alertIds = incident.alerts.map((alert) => idOf('alert', alert.id));
    const alerts = await this.#ordered(alertIds, (bytes) => decode('Alert', bytes));
    const causes = [id, ...incident.alerts.map((alert) => alert.id)];
    const commands = (await this.#related('command', { 'ringfence.audit.cause': causes })).map((bytes) =>
      decode('Command', bytes),
    );
    const resultIds = commands.map((command) => idOf('result', command.id));
    const results = await this.#ordered(resultIds, (bytes) => decode('Result', bytes));
    const versions = await this.#versions(id);
    return { incident, versions, alerts, commands, results, executions: [] };
  }

  /**
   * Reads incidents from the audit stream, where a version may become visible up to a refresh later than in the index
   * of incidents. Until then returns the newest visible version, and omits an incident without one.
   */
  async #incidentsOf(hits: readonly Hit<IncidentSource>[]): Promise<Incident[]> {
    const found = await this.#byIds(hits.map(({ _source }) => versionIds(_source)[0]!));
    const delayed = hits.map(({ _source }) => versionIds(_source)).filter(([newest]) => !found.has(newest!));
    const older = await this.#byIds(delayed.flat());
    return hits
      .map(({ _source }) => versionIds(_source).find((id) => found.has(id) || older.has(id)))
      .flatMap((id) => (id === undefined ? [] : (found.get(id) ?? older.get(id) ?? [])))
      .map((document) => decode('Incident', payloadOf(document)));
  }

  async #ordered<T>(ids: readonly string[], read: (bytes: Buffer) => T): Promise<T[]> {
    const found = await this.#byIds(ids);
    return ids.flatMap((id) => found.get(id) ?? []).map((document) => read(payloadOf(document)));
  }

  async #byIds(ids: readonly string[]): Promise<Map<string, AuditDocument>> {
    const found = new Map<string, AuditDocument>();
    for (let start = 0; start < Math.min(ids.length, MAX_RELATED); start += PAGE) {
      const values = ids.slice(start, start + PAGE);
      const hits = await this.#search<AuditDocument>(this.#names.audit, { size: PAGE, query: { ids: { values } } });
      for (const { _id, _source } of hits) found.set(_id, _source);
    }
    return found;
  }

  async #related(kind: AuditKind, terms: Readonly<Record<string, readonly string[]>>): Promise<Buffer[]> {
    const filter = [{ term: { 'ringfence.audit.kind': kind } }, { terms }];
    const sort = [{ 'ringfence.audit.timestamp': 'asc' }, { 'ringfence.audit.hash': 'asc' }];
    const found: Buffer[] = [];
    for await (const hits of this.#pages<AuditDocument>(this.#names.audit, filter, sort)) {
      found.push(...hits.map(({ _source }) => payloadOf(_source)));
      if (found.length >= MAX_RELATED) break;
    }
    return found;
  }

  async #versions(id: string): Promise<number> {
    const filter = [{ term: { 'ringfence.audit.kind': 'incident' } }, { prefix: { 'ringfence.audit.id': `${id}/` } }];
    const { body } = await this.#cluster.request<{ count: number }>('POST', `/${this.#names.audit}/_count`, {
      body: { query: { bool: { filter } } },
    });
    return body.count;
  }

  async *#pages<S>(
    index: string,
    filter: readonly object[],
    sort: readonly object[],
  ): AsyncGenerator<readonly Hit<S>[]> {
    let after: readonly unknown[] | undefined;
    do {
      const body = { size: PAGE, query: { bool: { filter } }, sort, ...(after && { search_after: after }) };
      const hits: readonly Hit<S>[] = await this.#search<S>(index, body);
      if (hits.length > 0) yield hits;
      after = hits.length < PAGE ? undefined : hits.at(-1)?.sort;
    } while (after !== undefined);
  }

  async #search<S>(index: string, body: object): Promise<readonly Hit<S>[]> {
    const response = await this.#cluster.request<{ hits: { hits: readonly Hit<S>[] } }>('POST', `/${index}/_search`, {
      // The stream does not exist before the auditor's first start.
      query: { ignore_unavailable: true, allow_partial_search_results: false },
      body: { ...body, track_total_hits: false },
    });
    return response.body.hits.hits;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cluster.close();
  }
}

/** Yields the newest `limit` items that match `where`, oldest first. */
async function* newest<S, T>(
  { limit = 1000, where }: ListQuery<T>,
  pages: AsyncIterable<readonly Hit<S>[]>,
  read: (hits: readonly Hit<S>[]) => Promise<readonly T[]>,
): AsyncGenerator<T, void, undefined> {
  const found: T[] = [];
  if (limit > 0) {
    for await (const hits of pages) {
      found.push(...(await read(hits)).filter((item) => where?.(item) !== false));
      if (found.length >= limit) break;
    }
  }
  yield* found.slice(0, Math.max(0, limit)).reverse();
}

/** `perUnit` is the field's unit in µs. */
function rangeOf<T>(field: string, { from, to, hostId }: ListQuery<T>, perUnit: number): object[] {
  const range = {
    ...(from === undefined ? {} : { gte: Math.ceil(from / perUnit) }),
    ...(to === undefined ? {} : { lte: Math.floor(to / perUnit) }),
    ...(perUnit === 1 ? {} : { format: 'epoch_millis' }),
  };
  const isBounded = from !== undefined || to !== undefined;
  return [
    ...(isBounded ? [{ range: { [field]: range } }] : []),
    ...(hostId === undefined ? [] : [{ term: { 'host.id': hostId } }]),
  ];
}

/** Returns the `_id`s of an incident's newest versions in the stream, newest first. */
function versionIds(source: IncidentSource): string[] {
  const newest = Number(source['ringfence.incident.version']);
  const versions = Array.from({ length: Math.min(newest, MAX_OLDER_VERSIONS) }, (_, back) => newest - back);
  return versions.map((version) => idOf('incident', `${source['ringfence.incident.id']}/${version}`));
}

function payloadOf({ ringfence: { audit } }: AuditDocument): Buffer {
  if (!(audit.size >= 0 && audit.size <= MAX_PAYLOAD_BYTES)) throw new RangeError(`a payload of ${audit.size} bytes`);
  return unpack(Buffer.from(audit.payload, 'base64'), audit.packed, audit.size);
}
