import assert from 'node:assert/strict';
import { contentFor } from '@ringfence/kibana';
import { type Searched, searchOfChart, searchOfSavedSearch } from '@ringfence/kibana/queries';

type Source = Searched['source'];

/** The documents of one incident, by where a panel looks for them. */
export type DocumentsOf = Readonly<Partial<Record<Source, object>>>;

interface Answer {
  readonly hits: {
    readonly total: { readonly value: number };
    readonly hits: readonly { readonly _source: Readonly<Record<string, unknown>> }[];
  };
  readonly _shards: { readonly failed: number };
}

/** Runs searches of panels in the cluster of a fleet. */
export class Panels {
  readonly #url: string;
  readonly #content = contentFor('ringfence');

  constructor(url: string) {
    this.#url = url;
  }

  async search(source: Source, body: object): Promise<Answer> {
    const { pattern } = this.#content.dataViews.find((view) => view.source === source)!;
    const response = await fetch(`${this.#url}/${pattern}/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Answer;
    assert.equal(response.status, 200, JSON.stringify(answer));
    assert.equal(answer._shards.failed, 0);
    return answer;
  }

  async refresh(): Promise<void> {
    const patterns = this.#content.dataViews.map(({ pattern }) => pattern).join();
    assert.equal((await fetch(`${this.#url}/${patterns}/_refresh`, { method: 'POST' })).status, 200);
  }

  /** Returns which documents belong to an incident. */
  async documentsOf(incident: string, container: string): Promise<DocumentsOf> {
    const ofIncident = { term: { 'ringfence.incident.id': incident } };
    const found = await this.search('incidents', { query: ofIncident });
    const alerts = found.hits.hits[0]?._source['ringfence.incident.alerts'];
    assert.ok(Array.isArray(alerts), 'the incident is stored');
    const cause = { terms: { 'ringfence.command.cause': [incident, ...alerts] } };
    const orders = await this.search('actions', { size: 1000, query: cause });
    const commands = orders.hits.hits.map(({ _source }) => _source['ringfence.command.id']);
    return {
      incidents: ofIncident,
      alerts: { terms: { 'event.id': alerts } },
      actions: { terms: { 'ringfence.command.id': commands } },
      events: { term: { 'container.id': container } },
    };
  }

  /** Runs the query of each panel on the documents of an incident. Returns `DASHBOARD: PANEL` with their number. */
  async counts(documents: DocumentsOf): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { title, rows } of this.#content.dashboards)
      for (const panel of rows.flatMap(({ panels }) => panels)) {
        if (panel.type === 'markdown') continue;
        const { source, body } = panel.type === 'search' ? searchOfSavedSearch(panel.search) : searchOfChart(panel);
        const { query } = body as { readonly query: object };
        const filter = [query, documents[source]].filter((part) => part !== undefined);
        const { hits } = await this.search(source, { ...body, query: { bool: { filter } } });
        counts.set(`${title.replace('Ringfence: ', '')}: ${panel.title}`, hits.total.value);
      }
    return counts;
  }
}
