import type { Priority } from '@ringfence/wire';
import { z } from 'zod';
import { type Ticket, ticketShape } from '../../encode/ticket.ts';
import { readAnswer } from '../../http/answer.ts';
import { authorizationOf } from '../../http/credentials.ts';
import { HttpClient } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line, secret } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { type Change, followTickets, type TicketDesk } from '../../tickets/follow.ts';
import { escapeMarkdown } from './markdown.ts';

const shape = {
  /** Without /api */
  url: httpUrl,
  /** Of a user who may create and update alerts */
  apiKey: secret,
  /** The organisation, for a user of several. */
  organisation: line.optional(),
  /** Part of the identity of an alert in TheHive: another value makes new alerts. */
  source: line.default('ringfence'),
  /** Status of an alert whose incident is closed */
  closedStatus: line.default('Ignored'),
  /** Status of an alert whose incident is opened again */
  openStatus: line.default('New'),
  /** Tags besides `ringfence` and `host:NAME` */
  tags: z.array(line).max(50).default([]),
  ...ticketShape,
  ...tlsShape,
};

type Settings = z.output<z.ZodObject<typeof shape>>;

/** Low, medium, high and critical of TheHive. */
const SEVERITIES: Readonly<Record<Priority, number>> = {
  debug: 1,
  informational: 1,
  notice: 1,
  warning: 2,
  error: 3,
  critical: 4,
  alert: 4,
  emergency: 4,
};
const TYPE = 'ringfence-incident';

const alert = z.looseObject({ _id: z.string().regex(/^~?\w{1,100}$/), caseId: z.string().optional() });

/** Alerts of TheHive 5: an incident is one alert, from which people make a case. */
export const thehive: SinkKind = defineKind({
  type: 'thehive',
  title: 'TheHive 5: one alert for an incident, kept up to date, closed when it closes',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'a server of the tests, after the published API',
  open(settings, { name: sink, common }) {
    const { url, apiKey, organisation } = settings;
    const client = new HttpClient({
      sink,
      url,
      tls: settings,
      timeoutMs: common.timeout,
      headers: () => ({
        'content-type': 'application/json',
        ...authorizationOf({ token: apiKey }),
        ...(organisation === undefined ? {} : { 'x-organisation': organisation }),
      }),
    });
    const desk = deskOf(client, sink, settings);
    return {
      send: (items, context) => followTickets(desk, settings, items, context),
      close: () => client.close(),
    };
  },
});

/** TheHive refuses a second alert of the same type, source and reference, so that there are no doubles. */
function deskOf(client: HttpClient, sink: string, settings: Settings): TicketDesk {
  const statusOf = async (path: string, { closed, reopened }: Change, signal: AbortSignal): Promise<object> => {
    if (!closed && !reopened) return {};
    const answer = await client.send({ method: 'GET', path, expected: [404], signal });
    // An alert that is part of a case has the status of the import, and the case is people's to close.
    const isFree = answer.status !== 404 && readAnswer(sink, answer, alert).caseId === undefined;
    return isFree ? { status: closed ? settings.closedStatus : settings.openStatus } : {};
  };
  return {
    async find({ id }, signal) {
      const conditions = Object.entries({ type: TYPE, source: settings.source, sourceRef: id });
      const _and = conditions.map(([_field, _value]) => ({ _eq: { _field, _value } }));
      const query = [{ _name: 'listAlert' }, { _name: 'filter', _and }, { _name: 'page', from: 0, to: 1 }];
      const answer = await client.send({ path: '/api/v1/query?name=alerts', body: JSON.stringify({ query }), signal });
      return readAnswer(sink, answer, z.array(alert))[0]?._id;
    },
    async open(ticket, { closed }, signal) {
      const body = JSON.stringify({
        type: TYPE,
        source: settings.source,
        sourceRef: ticket.id,
        ...(ticket.since === '' ? {} : { date: Date.parse(ticket.since) }),
        ...fieldsOf(ticket),
        ...severityOf(ticket),
        tags: ['ringfence', ...(ticket.host === '' ? [] : [`host:${ticket.host}`]), ...settings.tags],
        ...(closed ? { status: settings.closedStatus } : {}),
      });
      const answer = await client.send({ path: '/api/v1/alert', body, signal });
      return readAnswer(sink, answer, alert)._id;
    },
    async update(id, ticket, change, signal) {
      const path = `/api/v1/alert/${id}`;
      const fields = {
        ...fieldsOf(ticket),
        ...(change.grew ? severityOf(ticket) : {}),
        ...(await statusOf(path, change, signal)),
      };
      const request = { method: 'PATCH', path, body: JSON.stringify(fields), expected: [404], signal } as const;
      return (await client.send(request)).status !== 404;
    },
  };
}

/** People may choose another severity afterwards: it is only raised. */
const severityOf = ({ severity }: Ticket): object => ({ severity: SEVERITIES[severity] });

function fieldsOf({ title, facts, done, story, link }: Ticket): object {
  const listOf = (name: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`**${name}**`, lines.map((line) => `- ${escapeMarkdown(line)}`).join('\n')];
  return {
    title,
    description: [
      facts.map(([label, value]) => `- **${label}**: ${escapeMarkdown(value)}`).join('\n'),
      ...listOf('What was done', done),
      ...listOf('What happened (UTC)', story),
    ].join('\n\n'),
    ...(link === '' ? {} : { externalLink: link }),
  };
}
