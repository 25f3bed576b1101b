/** What this package asks of Kibana, as far as its documentation says it, because no Kibana can be started here. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface StandInOptions {
  /** @default 8.12.2 */
  readonly version?: string;
  /** Value of the header `authorization` that is let in. @default none is needed */
  readonly authorization?: string;
  /** Paths that the user may not use. @default none */
  readonly forbidden?: RegExp;
  /** Answers of another program, for every path. @default none */
  readonly other?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly text: string;
  };
  /** Result of an import. @default every object is stored under its id */
  readonly importResult?: object;
  /** Answer to an export. @default the stored objects, or what is missing */
  readonly exportResult?: { readonly status: number; readonly text: string };
}

interface Stored {
  readonly type: string;
  readonly id: string;
  attributes: Record<string, unknown>;
}

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  /** Saved objects by `type/id`, and bodies of the Dashboards API by `dashboard/id` */
  readonly objects: Map<string, Stored>;
  /** Method and path of each request */
  readonly requests: string[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (status: number, value: object): Answer => ({ status, text: JSON.stringify(value) });

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const objects = new Map<string, Stored>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void answerOf(options, objects, request).then((answer) => {
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(answer.status, { 'kbn-name': 'stand-in', ...answer.headers });
      response.end(answer.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    objects,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answerOf(
  { version = '8.12.2', authorization, forbidden, other, importResult, exportResult }: StandInOptions,
  objects: Map<string, Stored>,
  request: IncomingMessage,
): Promise<Answer> {
  const body = await text(request);
  const path = (request.url ?? '').replace(/^\/s\/\w+/, '');
  if (other !== undefined) return other;
  if (authorization !== undefined && request.headers.authorization !== authorization)
    return json(401, { message: 'unable to authenticate' });
  if (forbidden?.test(path)) return json(403, { message: 'Unable to bulk_create dashboard' });
  if (request.method !== 'GET' && request.headers['kbn-xsrf'] === undefined)
    return json(400, { message: 'no kbn-xsrf' });
  if (path === '/api/status') return json(200, { version: { number: version }, status: {} });
  if (path === '/api/saved_objects/_export') return exportResult ?? exported(objects, body);
  if (path === '/api/saved_objects/_import?overwrite=true')
    return importResult === undefined ? imported(objects, body) : json(200, importResult);
  const id = /^\/api\/dashboards\/([\w-]+)$/.exec(path)?.[1];
  return id === undefined ? json(404, { message: 'Not Found' }) : dashboard(objects, request.method ?? '', id, body);
}

function exported(objects: ReadonlyMap<string, Stored>, body: string): Answer {
  const { objects: asked } = JSON.parse(body) as { objects: readonly { type: string; id: string }[] };
  const missing = asked.filter(({ type, id }) => !objects.has(`${type}/${id}`));
  if (missing.length > 0) return json(400, { message: 'Error fetching objects', attributes: { objects: missing } });
  return { status: 200, text: asked.map(({ type, id }) => JSON.stringify(objects.get(`${type}/${id}`))).join('\n') };
}

function imported(objects: Map<string, Stored>, body: string): Answer {
  for (const line of body.split('\n').filter((part) => part.startsWith('{"type"'))) {
    const object = JSON.parse(line) as Stored;
    objects.set(`${object.type}/${object.id}`, object);
  }
  return json(200, { success: true, successResults: [] });
}

function dashboard(objects: Map<string, Stored>, method: string, id: string, body: string): Answer {
  const key = `dashboard/${id}`;
  if (method === 'PUT') {
    const attributes = { ...(JSON.parse(body) as object), options: { sync_colors: false } };
    objects.set(key, { type: 'dashboard', id, attributes });
  }
  const stored = objects.get(key);
  return stored === undefined ? json(404, { message: 'not found' }) : json(200, { id, data: stored.attributes });
}
