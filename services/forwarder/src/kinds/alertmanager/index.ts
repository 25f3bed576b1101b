import { z } from 'zod';
import { type Ticket, ticketShape } from '../../encode/ticket.ts';
import { authorizationOf, credentialShape } from '../../http/credentials.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { duration, httpUrl, line } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { type Change, followTickets, type TicketDesk } from '../../tickets/follow.ts';

const shape = {
  /** Without /api/v2 */
  url: httpUrl,
  ...credentialShape,
  /** Labels besides alertname, incident, host and severity, for routes. */
  labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/, 'expected the name of a label'), line).default({}),
  /** Alertmanager forgets an incident after so long without a change, unless it is closed before. */
  expires: duration('10s', '365d').default(30 * 86_400_000),
  ...ticketShape,
  ...tlsShape,
};

type Alert = Readonly<Record<string, unknown>>;
type Facts = { readonly labels: Readonly<Record<string, string>>; readonly expires: number };

/** Alerts of Prometheus Alertmanager, API v2: an incident is one alert, which ends when it closes. */
export const alertmanager: SinkKind = defineKind({
  type: 'alertmanager',
  title: 'Prometheus Alertmanager (API v2): one alert for an incident, resolved when it closes',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'Alertmanager',
  open(settings, { name, common }) {
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({
        'content-type': 'application/json',
        ...authorizationOf(settings),
      }),
    });
    const write = async (ticket: Ticket, change: Change, signal: AbortSignal): Promise<void> => {
      await client.send({ path: '/api/v2/alerts', body: JSON.stringify(alertsOf(ticket, change, settings)), signal });
    };
    const desk: TicketDesk = {
      async open(ticket, change, signal) {
        await write(ticket, change, signal);
        return ticket.id;
      },
      async update(_, ticket, change, signal) {
        await write(ticket, change, signal);
        return true;
      },
    };
    return {
      send: (items, context) => followTickets(desk, settings, items, context),
      close: () => client.close(),
    };
  },
});

/**
 * Labels identify an alert: the host's name, which may be known later, is none of them. Routes go by the severity: when
 * it grows, the alert of the former severity ends in the same request.
 */
function alertsOf(ticket: Ticket, { severityBefore }: Change, facts: Facts): Alert[] {
  const current = alertOf(ticket, ticket.severity, ticket.phase === 'closed', facts);
  if (severityBefore === null || severityBefore === ticket.severity) return [current];
  return [alertOf(ticket, severityBefore, true, facts), current];
}

function alertOf(ticket: Ticket, severity: string, isOver: boolean, { labels, expires }: Facts): Alert {
  const { id, title, status, hostId, since, facts, story, done, link } = ticket;
  const now = Date.now();
  return {
    labels: { ...labels, alertname: 'RingfenceIncident', incident: id, host: hostId, severity },
    annotations: {
      summary: title,
      status,
      description: [...facts.map(([label, value]) => `${label}: ${value}`), '', ...story].join('\n'),
      ...(done.length === 0 ? {} : { done: done.join('\n') }),
    },
    // A host's clock may be ahead: an alert must not end before it starts.
    ...(Date.parse(since) < now ? { startsAt: since } : {}),
    endsAt: new Date(isOver ? now : now + expires).toISOString(),
    ...(link === '' ? {} : { generatorURL: link }),
  };
}
