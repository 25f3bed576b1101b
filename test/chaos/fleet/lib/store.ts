import { type Names, namesOf } from '../../../../services/auditor/src/elasticsearch/options.ts';

const NAMES = namesOf({ prefix: 'ringfence', namespace: 'default' });
const AT_ONCE = 5000;

interface Hits {
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _source?: unknown }[] };
}

/** What Elasticsearch holds, asked past every proxy. */
export class Store {
  readonly names: Names = NAMES;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** How many documents each of these ids has. */
  async count(index: string, ids: Iterable<string>): Promise<Map<string, number>> {
    const all = [...ids];
    const found = new Map<string, number>();
    await this.ask('POST', `/${index}/_refresh`);
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const values = all.slice(at, at + AT_ONCE);
      // An id that is there twice must not push another one out of the answer.
      const body = { size: 10_000, _source: false, query: { ids: { values } } };
      const { hits } = await this.ask<Hits>('POST', `/${index}/_search`, body);
      for (const { _id } of hits.hits) found.set(_id, (found.get(_id) ?? 0) + 1);
    }
    return found;
  }

  /** @throws Error with what it answered */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }
}
