import { type Received, startReceiver } from '../support.ts';

process.env['RF_TEST_THEHIVE'] = 'k3y';

type Alert = Record<string, unknown> & { _id: string };

export interface TheHiveServer extends AsyncDisposable {
  readonly alerts: Alert[];
  readonly url: string;
  /** YAML of a sink that sends here */
  readonly sink: string;
}

/** TheHive 5 as far as its published methods go. */
export async function startTheHive(): Promise<TheHiveServer> {
  const alerts: Alert[] = [];
  const isSame = (a: Record<string, unknown>, b: Record<string, unknown>): boolean =>
    ['type', 'source', 'sourceRef'].every((name) => a[name] === b[name]);
  const create = (input: Record<string, unknown>) => {
    if (alerts.some((alert) => isSame(alert, input)))
      return { status: 400, body: { type: 'CreateError', message: 'Alert already exists' } };
    const alert = { status: 'New', ...input, _id: `~${alerts.length + 1}` };
    alerts.push(alert);
    return { status: 201, body: alert };
  };
  const query = (body: string) => {
    const [, filter] = JSON.parse(body).query as [unknown, { _and: { _eq: { _field: string; _value: string } }[] }];
    const matches = (alert: Alert): boolean => filter._and.every(({ _eq }) => alert[_eq._field] === _eq._value);
    return { status: 200, body: alerts.filter(matches).slice(0, 1) };
  };
  const onAlert = ({ method, path, body }: Received) => {
    const alert = alerts.find(({ _id }) => path === `/api/v1/alert/${_id}`);
    if (alert === undefined) return { status: 404, body: { type: 'NotFoundError' } };
    if (method === 'GET') return { status: 200, body: alert };
    Object.assign(alert, JSON.parse(body));
    return { status: 204, body: '' };
  };
  const receiver = await startReceiver((request) => {
    const { method, path, body, headers } = request;
    if (headers.authorization !== 'Bearer k3y' || headers['x-organisation'] !== 'soc') return { status: 401 };
    if (path === '/api/v1/query?name=alerts') return query(body);
    return method === 'POST' && path === '/api/v1/alert' ? create(JSON.parse(body)) : onAlert(request);
  });
  return {
    alerts,
    url: receiver.url,
    sink: `{sink: hive, type: thehive, url: '${receiver.url}', apiKey: env:RF_TEST_THEHIVE, organisation: soc, tags: [prod]}`,
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}
