import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { escapeMarkdown } from '../../src/kinds/thehive/markdown.ts';
import { createContext, incidentItem, type Received, sendOnce, startReceiver } from '../support.ts';

process.env['RF_TEST_THEHIVE'] = 'k3y';

type Alert = Record<string, unknown> & { _id: string };

/** TheHive 5 as far as its published methods go. */
async function startTheHive() {
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
    sink: `{sink: hive, type: thehive, url: '${receiver.url}', apiKey: env:RF_TEST_THEHIVE, organisation: soc, tags: [prod]}`,
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

suite('a thehive sink', () => {
  test('has one alert for 200 versions of an incident, and closes it', async () => {
    await using hive = await startTheHive();
    const context = createContext();
    const send = (...args: Parameters<typeof incidentItem>) => sendOnce(hive.sink, [incidentItem(...args)], context);
    for (let version = 1; version <= 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    assert.equal(hive.alerts.length, 1);
    const { title, type, source, sourceRef, severity, status, tags, date } = hive.alerts[0]!;
    assert.deepEqual(
      { title, type, source, sourceRef, severity, status, tags, date },
      {
        title: 'Version 200 of a shell by /bin/sh',
        type: 'ringfence-incident',
        source: 'ringfence',
        sourceRef: incidentItem(1).group,
        severity: 4,
        status: 'New',
        tags: ['ringfence', `host:${incidentItem(1).record.hostId}`, 'prod'],
        date: 1_790_000_000_000,
      },
    );
    await send(201, { status: 'closed' });
    assert.equal(hive.alerts[0]?.['status'], 'Ignored');
    await send(202, { status: 'new' });
    assert.equal(hive.alerts[0]?.['status'], 'New');
  });

  test('leaves the status of an alert that people have made a case of', async () => {
    await using hive = await startTheHive();
    const context = createContext();
    await sendOnce(hive.sink, [incidentItem(1)], context);
    Object.assign(hive.alerts[0]!, { status: 'Imported', caseId: '~77' });
    await sendOnce(hive.sink, [incidentItem(2, { status: 'closed' })], context);
    assert.equal(hive.alerts[0]?.['status'], 'Imported');
    assert.match(String(hive.alerts[0]?.['description']), /\*\*Status\*\*: closed/);
  });

  test('finds the alert again after a crash, instead of making a second one', async () => {
    await using hive = await startTheHive();
    await sendOnce(hive.sink, [incidentItem(1)]);
    await sendOnce(hive.sink, [incidentItem(1)]);
    await sendOnce(hive.sink, [incidentItem(2, { state: 'merged', mergedInto: '12ab' })]);
    assert.deepEqual(
      hive.alerts.map(({ status }) => status),
      ['Ignored'],
    );
  });

  test('makes a new alert when somebody has deleted it', async () => {
    await using hive = await startTheHive();
    const context = createContext();
    await sendOnce(hive.sink, [incidentItem(1)], context);
    hive.alerts.length = 0;
    await sendOnce(hive.sink, [incidentItem(2)], context);
    assert.equal(hive.alerts.length, 1);
  });

  test('lets no text of an attacker be Markdown', async () => {
    await using hive = await startTheHive();
    const hostile =
      '[Sign in](https://evil.example) ![](x) <img src=x> **x** `y` # a | b & ~c~ www.evil.example a@b.c \\';
    await sendOnce(hive.sink, [incidentItem(1, { alerts: [], story: [hostile] })]);
    const [line = ''] = String(hive.alerts[0]?.['description']).split('\n').slice(-1);
    assert.equal(line, `- ${escapeMarkdown(hostile)}`);
    assert.doesNotMatch(line.slice(2).replaceAll(/\\[\\`*_{}[\]()#+.!|<>&~:@-]/g, ''), /[`*_[\]()<>#&~|@:!.]/);
    assert.equal(line.slice(2).replaceAll(/\\([^\w\s])/g, '$1'), hostile);
  });
});
