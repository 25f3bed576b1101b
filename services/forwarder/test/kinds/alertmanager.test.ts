import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type AlertmanagerServer, alertmanagerMissing, startAlertmanager } from '@ringfence/dev-servers';
import { createContext, incidentItem, sendOnce } from '../support.ts';

interface Shown {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
}

suite('an alertmanager sink', { skip: alertmanagerMissing() ?? false }, () => {
  let server: AlertmanagerServer;
  before(async () => {
    server = await startAlertmanager();
  });
  after(() => server[Symbol.asyncDispose]());

  const sink = (more = ''): string => `{sink: am, type: alertmanager, url: '${server.url}', expires: 2h${more}}`;
  /** Alertmanager's own list of the alerts that have not ended */
  const firing = async (incident: string): Promise<Shown[]> => {
    const response = await fetch(`${server.url}/api/v2/alerts?filter=incident=${encodeURIComponent(`"${incident}"`)}`);
    return (await response.json()) as Shown[];
  };

  test('shows one alert for 200 versions of an incident, with the severity of the newest, and ends it', async () => {
    const context = createContext();
    const send = (version: number, overrides: Parameters<typeof incidentItem>[1]) =>
      sendOnce(sink(), [incidentItem(version, overrides)], context);
    for (let version = 1; version <= 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    const id = incidentItem(1).group;
    const [alert, ...others] = await firing(id);
    assert.deepEqual(others, []);
    assert.deepEqual(alert?.labels, {
      alertname: 'RingfenceIncident',
      incident: id,
      host: incidentItem(1).record.hostId,
      severity: 'critical',
    });
    assert.match(alert.annotations['summary'] ?? '', /^Version 200 of a shell/);
    assert.ok(Date.parse(alert.endsAt) > Date.now());
    await send(201, { status: 'closed' });
    assert.deepEqual(await firing(id), []);
  });

  test('ends the alert of an incident that became part of another one', async () => {
    const context = createContext();
    await sendOnce(sink(), [incidentItem(1, { id: 'part' })], context);
    assert.equal((await firing('part')).length, 1);
    await sendOnce(sink(), [incidentItem(2, { id: 'part', state: 'merged', mergedInto: 'whole' })], context);
    assert.deepEqual(await firing('part'), []);
  });

  test('makes no second alert when it sends again after a crash', async () => {
    await sendOnce(sink(), [incidentItem(1, { id: 'crash' })]);
    await sendOnce(sink(), [incidentItem(1, { id: 'crash' })]);
    assert.equal((await firing('crash')).length, 1);
  });

  test('carries hostile text, labels for routes and a link', async () => {
    const title = `a"b\\c{}\n\u202e${'é'.repeat(2 ** 19)}`;
    const item = incidentItem(1, { id: 'hostile', lead: null, title });
    await sendOnce(sink(", labels: {team: soc}, link: 'https://soc.example/{id}'"), [item]);
    const [alert] = await firing('hostile');
    assert.match(alert?.annotations['summary'] ?? '', /^a"b\\c\{\} é+…$/);
    assert.equal(alert?.labels['team'], 'soc');
    assert.match(JSON.stringify(alert), /"generatorURL":"https:\/\/soc\.example\/hostile"/);
  });

  test('waits for a server that is away, and sends again', async () => {
    await server.stop('SIGKILL');
    const context = createContext();
    const item = incidentItem(1, { id: 'away' });
    await assert.rejects(sendOnce(sink(), [item], context), { code: 'ERR_SINK_UNAVAILABLE' });
    await server.start();
    await sendOnce(sink(), [item], context);
    assert.equal((await firing('away')).length, 1);
  });
});
