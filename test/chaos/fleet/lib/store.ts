import { setTimeout as sleep } from 'node:timers/promises';
import { type IndexNames, namesOf } from '../../../../services/auditor/src/elasticsearch/options.ts';

const NAMES = namesOf({ prefix: 'ringfence', namespace: 'default' });
const AT_ONCE = 5000;
/** What a server says that is busy: its heap's breaker is open, or its shards are not there yet. */
const BUSY = [429, 503];
const PATIENCE_MS = 120_000;

interface Hits {
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _source?: unknown }[] };
}

/** What Elasticsearch holds, asked past every proxy. */
export class Store {
  readonly names: IndexNames = NAMES;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** How many documents there are in all; cheap, where `count` asks for each of a million ids. */
  async total(index: string): Promise<number> {
    await this.ask('POST', `/${index}/_refresh`);
    return (await this.ask<{ count: number }>('GET', `/${index}/_count`)).count;
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

  /**
   * Asks again for two minutes while it says that it is busy: an hour's backlog opens its heap's breaker, which is no loss.
   * @throws Error with what it answered
   */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(1000)) {
      const answer = await fetch(`${this.#url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text) as T;
      if (!BUSY.includes(answer.status) || Date.now() > end)
        throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    }
  }
}
