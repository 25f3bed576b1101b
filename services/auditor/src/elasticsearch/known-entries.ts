import type { Cluster } from './cluster.ts';
import type { AuditSource } from './documents/audit.ts';
import type { IndexNames } from './options.ts';

/** An entry that exists in the audit stream. */
export interface KnownEntry {
  readonly seq: number;
  readonly hash: string;
  readonly digest: string;
  /** Whether this process wrote it together with all its documents */
  readonly writtenByUs: boolean;
}

/** Maximum number of ids remembered between refreshes; more force a refresh. */
const MAX_RECENT = 50_000;
/** Ids per search. */
const PAGE = 1000;

/**
 * Looks up entries that exist in the streams. An `_id` is unique only within one backing index, so ids are searched in
 * the whole stream. A search sees only refreshed documents: entries written by this process are remembered until the
 * next refresh, and those of other processes become visible by a refresh.
 */
export class KnownEntries {
  readonly #cluster: Cluster;
  readonly #names: IndexNames;
  readonly #recent = new Map<string, KnownEntry>();

  constructor(cluster: Cluster, names: IndexNames) {
    this.#cluster = cluster;
    this.#names = names;
  }

  /** Makes all writes visible to searches, including those of other processes. */
  async refresh(): Promise<void> {
    const { alerts, actions, audit, events } = this.#names;
    await this.#cluster.request('POST', `/${[alerts, actions, audit, events].join(',')}/_refresh`);
    this.#recent.clear();
  }

  /** Returns the known entries among `ids`. */
  async entries(ids: readonly string[]): Promise<Map<string, KnownEntry>> {
    const known = new Map<string, KnownEntry>();
    const unknown: string[] = [];
    for (const id of ids) {
      const recent = this.#recent.get(id);
      if (recent === undefined) unknown.push(id);
      else known.set(id, recent);
    }
    const fields = ['seq', 'hash', 'digest'].map((name) => `ringfence.audit.${name}`);
    for await (const hit of this.#search(this.#names.audit, unknown, fields)) {
      const audit = (hit._source as { ringfence?: { audit?: AuditSource } } | undefined)?.ringfence?.audit;
      if (audit !== undefined) known.set(hit._id, { ...pick(audit), writtenByUs: false });
    }
    return known;
  }

  /** Returns the ids among `ids` that exist in `stream`. */
  async documents(stream: string, ids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for await (const { _id } of this.#search(stream, ids, false)) found.add(_id);
    return found;
  }

  /** Remembers entries that were just written. */
  async remember(written: Iterable<readonly [string, KnownEntry]>): Promise<void> {
    for (const [id, entry] of written) this.#recent.set(id, entry);
    if (this.#recent.size > MAX_RECENT) await this.refresh();
  }

  async *#search(
    stream: string,
    ids: readonly string[],
    source: readonly string[] | false,
  ): AsyncGenerator<{ readonly _id: string; readonly _source?: unknown }> {
    for (let start = 0; start < ids.length; start += PAGE) {
      const values = ids.slice(start, start + PAGE);
      const body = { size: PAGE * 2, _source: source, track_total_hits: false, query: { ids: { values } } };
      const response = await this.#cluster.request<{
        _shards: { failed: number };
        timed_out: boolean;
        hits: { hits: readonly { _id: string; _source?: unknown }[] };
      }>('POST', `/${stream}/_search`, { query: { allow_partial_search_results: false }, body });
      yield* response.body.hits.hits;
    }
  }
}

const pick = ({ seq, hash, digest }: AuditSource): Omit<KnownEntry, 'writtenByUs'> => ({ seq, hash, digest });
