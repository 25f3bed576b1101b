import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createContext, incidentItem, sendOnce, startReceiver } from '../support.ts';
import { type Issue, type Node, startJira, textOf } from './jira-server.ts';

suite('a jira sink', () => {
  test('has one issue for 200 versions of an incident, comments on news and closes it', async () => {
    await using jira = await startJira();
    const context = createContext();
    const send = (...args: Parameters<typeof incidentItem>) => sendOnce(jira.sink, [incidentItem(...args)], context);
    for (let version = 1; version <= 200; version++)
      await send(version, { severity: version < 100 ? 'warning' : 'critical' });
    const [issue, ...others] = jira.issues as [Issue];
    assert.deepEqual(others, []);
    assert.equal(issue.status, 'new');
    await send(201, { status: 'contained' });
    await send(202, { status: 'closed', verdict: 'true_positive' });
    const { summary, labels, priority } = issue.fields;
    assert.deepEqual(
      { summary, labels, priority, status: issue.status, comments: issue.comments },
      {
        summary: 'Version 202 of a shell by /bin/sh',
        labels: ['ringfence', `ringfence-${incidentItem(1).group}`, 'soc'],
        priority: { name: 'Highest' },
        status: 'done',
        comments: ['Now critical: new', 'Contained: contained', 'Closed: closed, true positive'],
      },
    );
  });

  test('opens a closed issue again when the incident goes on', async () => {
    await using jira = await startJira();
    const context = createContext();
    await sendOnce(jira.sink, [incidentItem(1, { status: 'closed' })], context);
    assert.equal(jira.issues[0]?.status, 'done');
    await sendOnce(jira.sink, [incidentItem(2)], context);
    assert.deepEqual([jira.issues[0]?.status, jira.issues[0]?.comments], ['new', ['Open again: new']]);
  });

  test('closes the issue of an incident that became part of another one, and says of which', async () => {
    await using jira = await startJira();
    const context = createContext();
    await sendOnce(jira.sink, [incidentItem(1)], context);
    await sendOnce(jira.sink, [incidentItem(2, { state: 'merged', mergedInto: '12ab' })], context);
    assert.deepEqual([jira.issues[0]?.status, jira.issues[0]?.comments], ['done', ['Closed: part of incident 12ab']]);
  });

  test('finds the issue again by its label after a crash, instead of making a second one', async () => {
    await using jira = await startJira();
    await sendOnce(jira.sink, [incidentItem(1)]);
    await sendOnce(jira.sink, [incidentItem(1)]);
    await sendOnce(jira.sink, [incidentItem(2, { state: 'merged', mergedInto: '12ab' })]);
    assert.equal(jira.issues.length, 1);
    assert.equal(jira.issues[0]?.status, 'done');
  });

  test('makes a new issue when somebody has deleted it', async () => {
    await using jira = await startJira();
    const context = createContext();
    await sendOnce(jira.sink, [incidentItem(1)], context);
    jira.issues.length = 0;
    await sendOnce(jira.sink, [incidentItem(2)], context);
    assert.equal(jira.issues.length, 1);
  });

  test('leaves it to people which priority an issue has, unless the incident gets worse', async () => {
    await using jira = await startJira();
    const context = createContext();
    await sendOnce(jira.sink, [incidentItem(1)], context);
    jira.issues[0]!.fields['priority'] = { name: 'Lowest' };
    await sendOnce(jira.sink, [incidentItem(2)], context);
    assert.deepEqual(jira.issues[0]!.fields['priority'], { name: 'Lowest' });
  });

  test('comments that the workflow has no way to the end', async () => {
    await using jira = await startJira();
    const context = createContext();
    const sink = jira.sink.replace('labels:', 'transitions: {close: Finish}, labels:');
    await sendOnce(sink, [incidentItem(1)], context);
    await sendOnce(sink, [incidentItem(2, { status: 'closed' })], context);
    assert.deepEqual(jira.issues[0]?.comments, [
      'Closed: closed|The workflow has no transition Finish that closes this issue.',
    ]);
  });

  test('repeats nothing that shows when it fails in the middle', async () => {
    await using jira = await startJira({
      failing: ({ path, method }, count) =>
        path.endsWith('/transitions') && method === 'POST' && count < 10 ? 503 : undefined,
    });
    const context = createContext();
    await sendOnce(jira.sink, [incidentItem(1)], context);
    const closed = [incidentItem(2, { status: 'closed' })];
    while (jira.received.length < 10) await sendOnce(jira.sink, closed, context).catch(() => {});
    await sendOnce(jira.sink, closed, context);
    assert.deepEqual([jira.issues[0]?.status, jira.issues[0]?.comments], ['done', ['Closed: closed']]);
  });

  test('sends hostile text as text, and no query that an id could change', async () => {
    await using jira = await startJira();
    const hostile = '[~admin] {code} !x.png! h1. <script>\n\u202e"';
    const item = incidentItem(1, {
      id: '1" OR project = "HR',
      lead: null,
      title: hostile,
      alerts: [],
      story: [hostile],
    });
    await sendOnce(jira.sink, [item]);
    const { summary, description, labels } = jira.issues[0]!.fields;
    assert.equal(summary, '[~admin] {code} !x.png! h1. <script> "');
    assert.match(textOf(description as Node), /\[~admin\] \{code\} !x\.png! h1\. <script> "$/);
    assert.deepEqual(labels, ['ringfence', 'ringfence-1__OR_project____HR', 'soc']);
  });

  test('sends no empty text, which Jira refuses', async () => {
    await using jira = await startJira();
    await sendOnce(jira.sink, [incidentItem(1, { alerts: [], story: ['\n'] })]);
    assert.doesNotMatch(JSON.stringify(jira.issues[0]?.fields['description']), /"text":""/);
  });

  test('is tried again while Jira is not what answers', async () => {
    await using receiver = await startReceiver(() => ({ status: 200, body: '<html>' }));
    const sink = `{sink: jira, type: jira, url: '${receiver.url}', login: {user: a, token: env:RF_TEST_JIRA}, project: SEC}`;
    await assert.rejects(sendOnce(sink, [incidentItem(1)]), { code: 'ERR_SINK_UNAVAILABLE', message: /unknown text/ });
  });
});
