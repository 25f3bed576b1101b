import type { InRecord } from '@ringfence/bus';
import {
  type Alert,
  type AuditKind,
  decode,
  type Incident,
  type OperatorAction,
  type RecordTypes,
} from '@ringfence/wire';
import { AuditError } from '../errors.ts';
import { type ChainedRecord, type ChainLinks, type Evidence, LinkBudget, type Part, withinLimit } from '../evidence.ts';
import type { IncidentDossier } from '../sqlite/read/dossier.ts';
import type { ListQuery } from '../sqlite/read/list.ts';
import type { SourceRange, TrailReader } from '../trail-reader.ts';
import { chainKey } from '../verify/chain-verifier.ts';
import { type AuditDocument, AuditSearch, chainedRecordOf, type Hit, payloadOf } from './audit-search.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { idOf } from './documents/audit.ts';
import { ClusterRequestError } from './errors.ts';
import { type ClusterOptions, type IndexNames, namesOf } from './options.ts';

/** Number of versions to look for: more than are normally published between two refreshes. */
const MAX_OLDER_VERSIONS = 50;

type IncidentSource = Readonly<Record<string, unknown>>;

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
  readonly #search: AuditSearch;

  constructor(options: ClusterOptions) {
    this.#cluster = openCluster(options);
    this.#names = namesOf(options);
    this.#search = new AuditSearch(this.#cluster, this.#names);
  }

  alerts(query: ListQuery<Alert> = {}): AsyncGenerator<Alert, void, undefined> {
    return this.#records('alert', 'Alert', query);
  }

  operatorActions(query: ListQuery<OperatorAction> = {}): AsyncGenerator<OperatorAction, void, undefined> {
    return this.#records('operator', 'OperatorAction', query);
  }

  async *#records<N extends 'Alert' | 'OperatorAction'>(
    kind: AuditKind,
    name: N,
    query: ListQuery<RecordTypes[N]>,
  ): AsyncGenerator<RecordTypes[N], void, undefined> {
    const filter = [{ term: { 'ringfence.audit.kind': kind } }, ...rangeOf('ringfence.audit.timestamp', query, 1)];
    const sort = [{ 'ringfence.audit.timestamp': 'desc' }, { 'ringfence.audit.hash': 'asc' }];
    const pages = this.#search.pages<AuditDocument>(this.#names.audit, filter, sort);
    const records = newest(query, pages, async (hits) => hits.map(({ _source }) => decode(name, payloadOf(_source))));
    yield* readable(`records of kind ${kind}`, records);
  }

  async *incidents(query: ListQuery<Incident> = {}): AsyncGenerator<Incident, void, undefined> {
    const filter = rangeOf('@timestamp', query, 1000);
    const sort = [{ '@timestamp': 'desc' }, { 'ringfence.incident.id': 'asc' }];
    const pages = this.#search.pages<IncidentSource>(this.#names.incidents, filter, sort);
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
    for await (const hits of this.#search.pages<AuditDocument>(this.#names.audit, filter, sort))
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

  /** The cluster removes events by its own retention, which no hold reaches. */
  hold(): undefined {}

  async evidence(id: string): Promise<Evidence | undefined> {
    try {
      return await this.#evidence(id);
    } catch (error) {
      throw unreadable(`the evidence of ${id}`, error);
    }
  }

  /** Executions are on the bus: the audit stream has only the hash of their batches. */
  async #evidence(id: string): Promise<Evidence | undefined> {
    const dossier = await this.#dossier(id);
    if (dossier === undefined) return undefined;
    const { incident, commands } = dossier;
    const ids = [
      ...incident.alerts.map((alert) => idOf('alert', alert.id)),
      ...commands.flatMap((command) => [idOf('command', command.id), idOf('result', command.id)]),
    ];
    const documents = [
      ...(await this.#search.find('incident', { prefix: { 'ringfence.audit.id': `${id}/` } })),
      ...(await this.#search.byIds(ids)).values(),
      ...(await this.#search.find('operator', { term: { 'ringfence.audit.cause': id } })),
    ];
    const { records, omitted } = withinLimit(documents.map(chainedRecordOf));
    const links = await this.#linksOf(records);
    return { dossier, records, links, hashes: [], omitted };
  }

  async #linksOf(records: readonly ChainedRecord[]): Promise<ChainLinks[]> {
    const budget = new LinkBudget();
    const links: ChainLinks[] = [];
    for (const group of Map.groupBy(records, chainKey).values())
      for (const part of budget.partsOf(group.map(({ seq }) => seq)))
        links.push(await this.#links(group[0] as ChainedRecord, part));
    return links;
  }

  async #links({ topic, partition, kind }: ChainedRecord, { first, last }: Part): Promise<ChainLinks> {
    const filter = [
      ...Object.entries({ topic, partition, kind }).map(([name, value]) => ({
        term: { [`ringfence.audit.${name}`]: value },
      })),
      { range: { 'ringfence.audit.seq': { gte: first, lte: last } } },
    ];
    const sort = [{ 'ringfence.audit.seq': 'asc' }];
    const hashes: Buffer[] = [];
    for await (const hits of this.#search.pages<AuditDocument>(this.#names.audit, filter, sort))
      for (const { _source } of hits) hashes.push(Buffer.from(_source.ringfence.audit.hash, 'hex'));
    return { topic, partition, kind, from: first, hashes, head: first + hashes.length - 1 };
  }

  /**
   * Reads incidents from the audit stream, where a version may become visible up to a refresh later than in the index
   * of incidents. Until then returns the newest visible version, and omits an incident without one.
   */
  async #incidentsOf(hits: readonly Hit<IncidentSource>[]): Promise<Incident[]> {
    const found = await this.#search.byIds(hits.map(({ _source }) => versionIds(_source)[0]!));
    const delayed = hits.map(({ _source }) => versionIds(_source)).filter(([newest]) => !found.has(newest!));
    const older = await this.#search.byIds(delayed.flat());
    return hits
      .map(({ _source }) => versionIds(_source).find((id) => found.has(id) || older.has(id)))
      .flatMap((id) => (id === undefined ? [] : (found.get(id) ?? older.get(id) ?? [])))
      .map((document) => decode('Incident', payloadOf(document)));
  }

  async #ordered<T>(ids: readonly string[], read: (bytes: Buffer) => T): Promise<T[]> {
    const found = await this.#search.byIds(ids);
    return ids.flatMap((id) => found.get(id) ?? []).map((document) => read(payloadOf(document)));
  }

  async #related(kind: AuditKind, terms: Readonly<Record<string, readonly string[]>>): Promise<Buffer[]> {
    return (await this.#search.find(kind, { terms })).map(payloadOf);
  }

  async #versions(id: string): Promise<number> {
    const filter = [{ term: { 'ringfence.audit.kind': 'incident' } }, { prefix: { 'ringfence.audit.id': `${id}/` } }];
    const { body } = await this.#cluster.request<{ count: number }>('POST', `/${this.#names.audit}/_count`, {
      body: { query: { bool: { filter } } },
    });
    return body.count;
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
