import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { escapeMarkdown } from '../../src/kinds/thehive/markdown.ts';
import { createContext, incidentItem, sendOnce } from '../support.ts';
import { startTheHive } from './thehive-server.ts';

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
