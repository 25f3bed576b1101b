import { Priorities } from '@ringfence/wire';
import { z } from 'zod';
import { type Ticket, ticketShape } from '../../encode/ticket.ts';
import { authorizationOf } from '../../http/credentials.ts';
import { HttpClient } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, line, secret } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { type Change, followTickets, isNews, newsOf, type TicketDesk } from '../../tickets/follow.ts';
import { comment, describe } from './adf.ts';
import { JiraApi } from './jira-api.ts';

const label = z.string().regex(/^[^\p{Cc}\s"\\]{1,100}$/u, 'expected a label without spaces');

const shape = {
  /** Of the site: https://example.atlassian.net */
  url: httpUrl,
  /** `{user: ADDRESS, token: file:/PATH}`: the account's address and an API token of it */
  login: z.strictObject({ user: line, token: secret }),
  /** Key of the project */
  project: z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'expected the key of a project, such as SEC'),
  /** Name of a type of issues of the project */
  issueType: line.default('Task'),
  /** Labels besides `ringfence` and `ringfence-ID`. */
  labels: z.array(label).max(20).default([]),
  /** Names of Jira's priorities by the incident's severity; without it, issues have the project's default. */
  priorities: z.partialRecord(z.enum(Priorities), line).default({}),
  /** `{close: NAME, reopen: NAME}`; without one, the first transition to a status that is done, or is not. */
  transitions: z.strictObject({ close: line.optional(), reopen: line.optional() }).default({}),
  ...ticketShape,
  ...tlsShape,
};

type Settings = z.output<z.ZodObject<typeof shape>>;

/** Issues of Jira Cloud by its REST API v3: an incident is one issue. */
export const jira: SinkKind = defineKind({
  type: 'jira',
  title: 'Jira Cloud: one issue for an incident, commented on when it changes, closed when it closes',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'a server of the tests, after the published API',
  open(settings, { name: sink, common }) {
    const { url, login } = settings;
    const client = new HttpClient({
      sink,
      url,
      tls: settings,
      timeoutMs: common.timeout,
      headers: () => ({
        'content-type': 'application/json',
        accept: 'application/json',
        ...authorizationOf({ user: login.user, password: login.token }),
      }),
    });
    const desk = deskOf(new JiraApi(client, sink), settings);
    return {
      send: (items, context) => followTickets(desk, settings, items, context),
      close: () => client.close(),
    };
  },
});

const labelOf = ({ id }: Ticket): string => `ringfence-${id}`;

function deskOf(api: JiraApi, settings: Settings): TicketDesk {
  const { project, transitions } = settings;
  const moveOn = async (key: string, { closed, reopened }: Change, signal: AbortSignal): Promise<string[]> => {
    if (!closed && !reopened) return [];
    const name = closed ? transitions.close : transitions.reopen;
    if (await api.move(key, closed, name, signal)) return [];
    return [`The workflow has no transition ${name ?? ''} that ${closed ? 'closes' : 'reopens'} this issue.`];
  };
  return {
    find: (ticket, signal) => api.find(`project = "${project}" AND labels = "${labelOf(ticket)}"`, signal),
    async open(ticket, change, signal) {
      const key = await api.create({ ...fixedFields(ticket, settings), ...fieldsOf(ticket) }, signal);
      await moveOn(key, change, signal);
      return key;
    },
    async update(key, ticket, change, signal) {
      // People may have chosen another priority: it is only raised.
      const fields = { ...fieldsOf(ticket), ...(change.grew ? priorityOf(ticket, settings) : {}) };
      if (!(await api.edit(key, fields, signal))) return false;
      const troubles = await moveOn(key, change, signal);
      // The comment comes last: what was done before it can be repeated without a trace.
      if (isNews(change) || change.contained) {
        const news = `${newsOf(ticket, change)}: ${ticket.status}`;
        await api.comment(key, comment([news, ...ticket.done.slice(-1), ...troubles]), signal);
      }
      return true;
    },
  };
}

/** What people may change afterwards. */
const fixedFields = (ticket: Ticket, settings: Settings): Record<string, unknown> => ({
  project: { key: settings.project },
  issuetype: { name: settings.issueType },
  labels: ['ringfence', labelOf(ticket), ...settings.labels],
  ...priorityOf(ticket, settings),
});

const fieldsOf = (ticket: Ticket): Record<string, unknown> => ({
  summary: ticket.title,
  description: describe(ticket),
});

function priorityOf({ severity }: Ticket, { priorities }: Settings): Record<string, unknown> {
  const name = priorities[severity];
  return name === undefined ? {} : { priority: { name } };
}
