import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Ticket, ticketOf } from '../../src/encode/ticket.ts';
import { createFieldMap } from '../../src/items/map-fields.ts';
import { createRedactor } from '../../src/items/redact.ts';
import type { ItemOf } from '../../src/sink.ts';
import { type Change, followTickets, type TicketDesk } from '../../src/tickets/follow.ts';
import { createContext, createTickets, incidentItem, sinkOf } from '../support.ts';

const DECIDED = { closes: 'decided' } as const;
const item = (...args: Parameters<typeof incidentItem>): ItemOf<'incident'> =>
  incidentItem(...args) as ItemOf<'incident'>;
const settingsOf = (yaml: string) => sinkOf(`{sink: a, type: webhook, url: 'https://x.example', ${yaml}}`).common;
const factOf = ({ facts }: Ticket, label: string): string | undefined => facts.find(([name]) => name === label)?.[1];

const STAGES = [
  { tactic: 'execution', techniques: ['T1059.004'], firstSeen: 1 },
  { tactic: 'credential-access', techniques: ['T1003'], firstSeen: 2 },
];
const HISTORY = [
  { status: 'contained', verdict: 'undecided', by: 'responder', note: 'kill /bin/sh', at: 1_790_000_000_000_000 },
] as const;

suite('the ticket of an incident', () => {
  test('says what happened, where, how bad it is, what was done and how to see more', () => {
    const incident = { stages: STAGES, history: HISTORY, status: 'contained', hostname: 'web-1' } as const;
    const ticket = ticketOf(item(3, incident), {
      ...DECIDED,
      link: 'https://soc.example/i/{id}?x=1',
    });
    assert.match(ticket.title, /^Version 3 of a shell and credential access by \/bin\/sh$/);
    assert.deepEqual(
      ticket.facts.map(([label]) => label),
      ['Severity', 'Status', 'Hosts', 'Stages', 'Alerts', 'Time', 'Details'],
    );
    assert.equal(factOf(ticket, 'Stages'), 'execution (T1059.004), credential access (T1003)');
    assert.equal(factOf(ticket, 'Alerts'), '2, by 1 process');
    assert.equal(factOf(ticket, 'Hosts'), `web-1 (${item(3).record.hostId})`);
    assert.equal(factOf(ticket, 'Time'), '2026-09-21T14:13:20Z to 2026-09-21T14:13:20Z');
    assert.equal(ticket.host, 'web-1');
    assert.equal(factOf(ticket, 'Details'), `ringfence incident show ${ticket.id}`);
    assert.deepEqual(ticket.done, ['2026-09-21T14:13:20Z contained by responder: kill /bin/sh']);
    assert.equal(ticket.link, `https://soc.example/i/${ticket.id}?x=1`);
    assert.equal(ticket.story.length, 1);
  });

  for (const { state, status, closes, phase, says } of [
    { state: 'open', status: 'new', closes: 'decided', phase: 'open', says: 'new' },
    { state: 'open', status: 'triaged', closes: 'decided', phase: 'triaged', says: 'triaged' },
    { state: 'open', status: 'contained', closes: 'decided', phase: 'contained', says: 'contained' },
    { state: 'open', status: 'closed', closes: 'decided', phase: 'closed', says: 'closed' },
    { state: 'closed', status: 'new', closes: 'decided', phase: 'open', says: 'new, no longer growing' },
    { state: 'closed', status: 'new', closes: 'ended', phase: 'closed', says: 'new, no longer growing' },
    { state: 'merged', status: 'new', closes: 'decided', phase: 'closed', says: 'part of incident 12ab' },
  ] as const) {
    test(`of state ${state} and status ${status} is ${phase} where tickets close once ${closes}`, () => {
      const ticket = ticketOf(item(1, { state, status, mergedInto: state === 'merged' ? '12ab' : '' }), { closes });
      assert.deepEqual([ticket.phase, ticket.status], [phase, says]);
    });
  }

  test('shows twenty lines of a long story, each bounded and without control or bidirectional characters', () => {
    const line = `a\n\u001b[2Jb\u202e${'x'.repeat(2 ** 20)}\ud800`;
    const { story, title } = ticketOf(
      item(1, { lead: null, title: line, alerts: [], story: Array(500).fill(line) }),
      DECIDED,
    );
    assert.equal(story.length, 21);
    assert.equal(story[20], 'and 480 more lines');
    for (const text of [title, ...story]) {
      assert.ok(text.length <= 300);
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Cs}]/u);
    }
  });

  test('has nothing that the sink drops or redacts', () => {
    const whole = item(1, { stages: STAGES, history: HISTORY });
    const drop = createFieldMap(
      settingsOf('fields: {drop: [threat.technique.id, threat.technique.subtechnique.id, ringfence.incident.story]}'),
    );
    const redact = createRedactor(settingsOf("redact: {patterns: ['/bin/[a-z]+']}"));
    const ticket = ticketOf(drop(redact(whole)) as ItemOf<'incident'>, DECIDED);
    assert.doesNotMatch(JSON.stringify(ticket), /T1059|T1003|\/bin\/sh/);
    assert.deepEqual(ticket.story, []);
    assert.match(JSON.stringify(ticketOf(whole, DECIDED)), /T1059.*\/bin\/sh/);
  });

  test('of a record with an impossible time is a ticket all the same', () => {
    const { done } = ticketOf(item(1, { history: [{ ...HISTORY[0], at: 9e15 * 1000 }] }), DECIDED);
    assert.deepEqual(done, ['at an unknown time contained by responder: kill /bin/sh']);
  });
});

suite('the tickets of a sink', () => {
  const createDesk = () => {
    const calls: string[] = [];
    const say = (verb: string, change: Change): void => {
      const news = Object.entries(change).filter(([, value]) => value === true);
      calls.push([verb, ...news.map(([name]) => name)].join(' '));
    };
    const desk: TicketDesk = {
      async open(_, change) {
        say('open', change);
        return 'T1';
      },
      async update(_, __, change) {
        say('update', change);
        return true;
      },
    };
    return { calls, desk };
  };

  test('follow an incident from its opening to its end, and say each news once', async () => {
    const { calls, desk } = createDesk();
    const context = createContext();
    const say = (version: number, overrides: Parameters<typeof incidentItem>[1]) =>
      followTickets(desk, DECIDED, [incidentItem(version, overrides)], context);
    await say(1, { severity: 'warning' });
    await say(2, { severity: 'critical' });
    await say(3, { severity: 'critical' });
    await say(4, { severity: 'critical', status: 'contained' });
    await say(3, { severity: 'critical' });
    await say(5, { severity: 'critical', status: 'closed' });
    await say(5, { severity: 'critical', status: 'closed' });
    await say(6, { severity: 'critical', status: 'new' });
    assert.deepEqual(calls, [
      'open opened',
      'update grew',
      'update',
      'update contained',
      'update closed',
      'update reopened',
    ]);
  });

  test('of a merged incident close; none is opened for it', async () => {
    const { calls, desk } = createDesk();
    await followTickets(desk, DECIDED, [incidentItem(1, { state: 'merged', mergedInto: 'x' })], createContext());
    assert.deepEqual(calls, []);
  });

  test('are found again at the far side when their references were lost', async () => {
    const { calls, desk } = createDesk();
    const tickets = createTickets();
    await followTickets({ ...desk, find: async () => 'T7' }, DECIDED, [incidentItem(4)], createContext(tickets));
    assert.deepEqual(calls, ['update']);
    assert.match([...tickets.all.values()].join(), /"reference":"T7"/);
  });

  test('are opened again when the far side has lost them', async () => {
    const { calls, desk } = createDesk();
    const context = createContext();
    await followTickets(desk, DECIDED, [incidentItem(1)], context);
    await followTickets({ ...desk, update: async () => false }, DECIDED, [incidentItem(2)], context);
    assert.deepEqual(calls, ['open opened', 'open opened']);
  });
});

test('a sink of tickets refuses to be sent what it can make no ticket of', () => {
  assert.throws(
    () => sinkOf('{sink: a, type: pagerduty, routingKey: env:X, send: [incidents, alerts]}'),
    /send: pagerduty takes incidents only/,
  );
});
