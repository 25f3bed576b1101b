import type { Priority } from '@ringfence/wire';

import { type Ticket, ticketShape } from '../../encode/ticket.ts';
import { httpClientOf } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { followTickets, type TicketDesk } from '../../tickets/follow.ts';

const shape = {
  /** Accounts in Europe have https://events.eu.pagerduty.com. */
  url: httpUrl.default('https://events.pagerduty.com'),
  /** Integration key of a service, of the kind "Events API v2". */
  routingKey: secret,
  ...ticketShape,
  ...tlsShape,
};

const SEVERITIES: Readonly<Record<Priority, string>> = {
  debug: 'info',
  informational: 'info',
  notice: 'info',
  warning: 'warning',
  error: 'error',
  critical: 'critical',
  alert: 'critical',
  emergency: 'critical',
};
/** Longest summary that PagerDuty takes is 1,024. */
const SUMMARY_MAX_CHARS = 1000;

type Post = (event: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<void>;

/** Pages by PagerDuty's Events API v2: an incident is one page, which it resolves itself when it closes. */
export const pagerduty: SinkKind = defineKind({
  type: 'pagerduty',
  title: 'PagerDuty (Events API v2): one page for an incident, resolved when it closes',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'a server of the tests, after the published API',
  open(settings, { name, common }) {
    const client = httpClientOf({ name, common }, settings, {
      headers: () => ({ 'content-type': 'application/json' }),
    });
    const post: Post = async (event, signal) => {
      const body = JSON.stringify({ routing_key: readSecret(settings.routingKey), ...event });
      await client.send({ path: '/v2/enqueue', body, signal });
    };
    const desk = deskOf(post);
    return {
      send: (items, context) => followTickets(desk, settings, items, context),
      close: () => client.close(),
    };
  },
});

/** The incident's id is the key by which PagerDuty drops doubles, so that no reference need be kept. */
function deskOf(post: Post): TicketDesk {
  const trigger = (ticket: Ticket, signal: AbortSignal): Promise<void> => post(triggerOf(ticket), signal);
  const act = (action: 'acknowledge' | 'resolve', { id }: Ticket, signal: AbortSignal): Promise<void> =>
    post({ event_action: action, dedup_key: id }, signal);
  return {
    async open(ticket, { closed, triaged }, signal) {
      // Nobody is woken for what is over; a page from before a crash is resolved.
      await (closed ? act('resolve', ticket, signal) : trigger(ticket, signal));
      if (triaged) await act('acknowledge', ticket, signal);
      return ticket.id;
    },
    async update(_, ticket, { grew, triaged, closed, reopened }, signal) {
      if (closed) await act('resolve', ticket, signal);
      else if (ticket.phase !== 'closed' && (grew || reopened)) await trigger(ticket, signal);
      if (triaged) await act('acknowledge', ticket, signal);
      return true;
    },
  };
}

function triggerOf(ticket: Ticket): Record<string, unknown> {
  const { id, title, severity, host, since, facts, story, done, link } = ticket;
  return {
    event_action: 'trigger',
    dedup_key: id,
    client: 'Ringfence',
    ...(link === '' ? {} : { client_url: link, links: [{ href: link, text: 'Incident' }] }),
    payload: {
      summary: `${severity}: ${title}`.slice(0, SUMMARY_MAX_CHARS),
      source: host || 'ringfence',
      severity: SEVERITIES[severity],
      ...(since === '' ? {} : { timestamp: since }),
      component: host,
      class: 'ringfence.incident',
      custom_details: { ...Object.fromEntries(facts), Story: story, Done: done },
    },
  };
}
