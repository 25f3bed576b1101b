import type { Cluster } from './cluster.ts';
import type { AuditSource } from './documents/audit.ts';
import type { Names } from './options.ts';

/** An entry that is in the audit stream. */
export interface Known {
  readonly seq: number;
  readonly hash: string;
  readonly digest: string;
  /** this process chained it, so its documents are written */
  readonly isOurs: boolean;
}

/** Ids written since the last refresh, at most; more cost a refresh. */
const RECENT_MAX = 50_000;
/** Ids asked for in one search. */
const PAGE = 1000;

/**
 * What is in the streams already. An `_id` is unique only in a stream's write index, so ids are looked up over the whole stream; a search sees only what was
 * refreshed, so what we wrote since is remembered, and what others wrote is refreshed before it is asked for.
 */
export class KnownEntries {
  readonly #cluster: Cluster;
  readonly #names: Names;
  readonly #recent = new Map<string, Known>();

  constructor(cluster: Cluster, names: Names) {
    this.#cluster = cluster;
    this.#names = names;
  }

  /** Makes everything that anyone has written visible. */
  async refresh(): Promise<void> {
    const { alerts, actions, audit, events } = this.#names;
    await this.#cluster.request('POST', `/${[alerts, actions, audit, events].join(',')}/_refresh`);
    this.#recent.clear();
  }

  /** Entries of these ids. */
  async entries(ids: readonly string[]): Promise<Map<string, Known>> {
    const known = new Map<string, Known>();
    const unknown: string[] = [];
    for (const id of ids) {
      const recent = this.#recent.get(id);
      if (recent === undefined) unknown.push(id);
      else known.set(id, recent);
    }
    const fields = ['seq', 'hash', 'digest'].map((name) => `ringfence.audit.${name}`);
    for await (const hit of this.#search(this.#names.audit, unknown, fields)) {
      const audit = (hit._source as { ringfence?: { audit?: AuditSource } } | undefined)?.ringfence?.audit;
      if (audit !== undefined) known.set(hit._id, { ...pick(audit), isOurs: false });
    }
    return known;
  }

  /** Those of these documents that are in their stream. */
  async documents(stream: string, ids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for await (const { _id } of this.#search(stream, ids, false)) found.add(_id);
    return found;
  }

  /** Of what was just written. */
  async remember(written: Iterable<readonly [string, Known]>): Promise<void> {
    for (const [id, entry] of written) this.#recent.set(id, entry);
    if (this.#recent.size > RECENT_MAX) await this.refresh();
  }

  async *#search(
    stream: string,
    ids: readonly string[],
    source: readonly string[] | false,
  ): AsyncGenerator<{ readonly _id: string; readonly _source?: unknown }> {
    for (let at = 0; at < ids.length; at += PAGE) {
      const values = ids.slice(at, at + PAGE);
      const body = { size: PAGE * 2, _source: source, track_total_hits: false, query: { ids: { values } } };
      const answer = await this.#cluster.request<{
        _shards: { failed: number };
        timed_out: boolean;
        hits: { hits: readonly { _id: string; _source?: unknown }[] };
      }>('POST', `/${stream}/_search`, { query: { allow_partial_search_results: false }, body });
      yield* answer.body.hits.hits;
    }
  }
}

const pick = ({ seq, hash, digest }: AuditSource): Omit<Known, 'isOurs'> => ({ seq, hash, digest });
