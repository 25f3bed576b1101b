import { setTimeout as sleep } from 'node:timers/promises';
import { type IndexNames, indexNamesOf } from '@ringfence/auditor';

const NAMES = indexNamesOf({ prefix: 'ringfence', namespace: 'default' });
const IDS_PER_SEARCH = 5000;
/** Status of a busy server: its memory circuit breaker is open, or its shards are not ready. */
const BUSY = [429, 503];
const RETRY_FOR_MS = 120_000;

interface Hits {
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _source?: unknown }[] };
}

/** Reads Elasticsearch directly, without the proxy. */
export class Store {
  readonly names: IndexNames = NAMES;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Returns the number of documents. Much cheaper than `count`, which looks up every id. */
  async total(index: string): Promise<number> {
    await this.request('POST', `/${index}/_refresh`);
    return (await this.request<{ count: number }>('GET', `/${index}/_count`)).count;
  }

  /** Returns the number of documents by id. */
  async count(index: string, ids: Iterable<string>): Promise<Map<string, number>> {
    const all = [...ids];
    const found = new Map<string, number>();
    await this.request('POST', `/${index}/_refresh`);
    for (let at = 0; at < all.length; at += IDS_PER_SEARCH) {
      const values = all.slice(at, at + IDS_PER_SEARCH);
      // Room for duplicates: a duplicate must not displace another id from the result.
      const body = { size: 10_000, _source: false, query: { ids: { values } } };
      const { hits } = await this.request<Hits>('POST', `/${index}/_search`, body);
      for (const { _id } of hits.hits) found.set(_id, (found.get(_id) ?? 0) + 1);
    }
    return found;
  }

  /**
   * Retries for two minutes while the server is busy: an hour's backlog opens its circuit breaker, which loses nothing.
   * @throws Error with the server's response
   */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (const end = Date.now() + RETRY_FOR_MS; ; await sleep(1000)) {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as T;
      if (!BUSY.includes(response.status) || Date.now() > end)
        throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    }
  }
}
