import { z } from 'zod';
import { readAnswer } from '../../http/answer.ts';
import type { HttpAnswer, HttpClient } from '../../http/http-client.ts';

const key = z.string().regex(/^[A-Z][A-Z0-9_]{0,99}-\d{1,18}$/);
const created = z.looseObject({ key });
const found = z.looseObject({ issues: z.array(z.looseObject({ key })).default([]) });
const status = z.looseObject({ statusCategory: z.looseObject({ key: z.string() }) });
const issue = z.looseObject({ fields: z.looseObject({ status }) });
const moves = z.looseObject({
  transitions: z.array(z.looseObject({ id: z.string().regex(/^\w{1,50}$/), name: z.string(), to: status })),
});

const ISSUE = '/rest/api/3/issue';

type Fields = Readonly<Record<string, unknown>>;

/** The methods of Jira Cloud's REST API v3 that the sink needs. */
export class JiraApi {
  readonly #client: HttpClient;
  readonly #sink: string;

  constructor(client: HttpClient, sink: string) {
    this.#client = client;
    this.#sink = sink;
  }

  /** Returns the key of the first issue that a query finds. */
  async find(jql: string, signal: AbortSignal): Promise<string | undefined> {
    const body = JSON.stringify({ jql, fields: ['summary'], maxResults: 1 });
    const answer = await this.#client.send({ path: '/rest/api/3/search/jql', body, signal });
    return readAnswer(this.#sink, answer, found).issues[0]?.key;
  }

  async create(fields: Fields, signal: AbortSignal): Promise<string> {
    const answer = await this.#client.send({ path: ISSUE, body: JSON.stringify({ fields }), signal });
    return readAnswer(this.#sink, answer, created).key;
  }

  /** Returns false if the issue was deleted. */
  async edit(key: string, fields: Fields, signal: AbortSignal): Promise<boolean> {
    const body = JSON.stringify({ fields });
    const { status } = await this.#client.send({
      method: 'PUT',
      path: `${ISSUE}/${key}`,
      body,
      expected: [404],
      signal,
    });
    return status !== 404;
  }

  async comment(key: string, body: unknown, signal: AbortSignal): Promise<void> {
    await this.#client.send({ path: `${ISSUE}/${key}/comment`, body: JSON.stringify({ body }), signal });
  }

  /**
   * Moves an issue to a status that is done, or to one that is not. Returns false if its workflow has no such way.
   * @param name of the transition; undefined: the first that leads there
   */
  async move(key: string, toDone: boolean, name: string | undefined, signal: AbortSignal): Promise<boolean> {
    const isThere = (category: string): boolean => (category === 'done') === toDone;
    const now = readAnswer(this.#sink, await this.#get(`${ISSUE}/${key}?fields=status`, signal), issue);
    if (isThere(now.fields.status.statusCategory.key)) return true;
    const path = `${ISSUE}/${key}/transitions`;
    const { transitions } = readAnswer(this.#sink, await this.#get(path, signal), moves);
    const way = transitions.find((move) =>
      name === undefined ? isThere(move.to.statusCategory.key) : move.name === name,
    );
    if (way === undefined) return false;
    await this.#client.send({ path, body: JSON.stringify({ transition: { id: way.id } }), signal });
    return true;
  }

  #get(path: string, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#client.send({ method: 'GET', path, signal });
  }
}
