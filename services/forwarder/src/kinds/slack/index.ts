import { z } from 'zod';
import { ticketShape } from '../../encode/ticket.ts';
import { Hook } from '../../http/hook.ts';
import { HttpClient } from '../../http/http-client.ts';
import { tlsShape } from '../../settings/common.ts';
import { httpUrl, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { type Chat, tellChat } from '../../tickets/digest.ts';
import { isNews, newsOf } from '../../tickets/follow.ts';
import { escapeSlack, messageOf, type SlackMessage, ticketMessage } from './blocks.ts';
import { type Posted, SlackApi } from './web-api.ts';

const channel = z.string().regex(/^#?[\p{L}\p{N}_-]{1,80}$/u, 'expected the id or the name of a channel');

const shape = {
  /** `{token: file:/PATH, channel: ID}` of a bot, or `{webhook: file:/PATH}`, whose messages can't be changed later */
  to: z.union(
    [z.strictObject({ token: secret, channel }), z.strictObject({ webhook: secret })],
    'expected {token: file:/PATH, channel: ID} or {webhook: file:/PATH}',
  ),
  /** Of Slack's Web API, for bots */
  url: httpUrl.default('https://slack.com/api'),
  ...ticketShape,
  ...tlsShape,
};

/** Messages in a Slack channel: an incident is one message, which is changed as the incident changes. */
export const slack: SinkKind = defineKind({
  type: 'slack',
  title: 'Slack: one message for an incident, kept up to date, with replies when it changes; or a digest',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'a server of the tests, after the published API',
  open(settings, { name: sink, common }) {
    const { to, url } = settings;
    const far = { sink, tls: settings, timeoutMs: common.timeout };
    const hookOf = (reference: string): [Hook, Chat] => {
      const hook = new Hook({ ...far, reference, insecure: common.insecure });
      return [hook, hookChat(hook)];
    };
    const botOf = ({ token, channel }: { token: string; channel: string }): [HttpClient, Chat] => {
      const headers = (): Record<string, string> => ({
        'content-type': 'application/json; charset=utf-8',
        authorization: `Bearer ${readSecret(token)}`,
      });
      const client = new HttpClient({ ...far, url, headers });
      return [client, botChat(new SlackApi(client, sink), channel)];
    };
    const [client, chat] = 'webhook' in to ? hookOf(to.webhook) : botOf(to);
    return {
      send: (items, context) => tellChat(chat, settings, common, items, context),
      close: () => client.close(),
    };
  },
});

const hookChat = (hook: Hook): Chat => ({
  async open(ticket, change, signal) {
    await hook.post(ticketMessage(newsOf(ticket, change), ticket), signal);
    return '';
  },
  async update(_, ticket, change, signal) {
    if (isNews(change)) await hook.post(ticketMessage(newsOf(ticket, change), ticket), signal);
    return true;
  },
  digest: ({ title, lines }, signal) => hook.post(messageOf(title, [lines]), signal),
});

/** The reference of a message is its channel and its time: Slack changes messages by the channel's id only. */
function botChat(api: SlackApi, channel: string): Chat {
  const post = (message: SlackMessage, signal: AbortSignal): Promise<Posted> =>
    api.post({ channel, ...message }, signal);
  return {
    async open(ticket, change, signal) {
      const posted = await post(ticketMessage(newsOf(ticket, change), ticket), signal);
      return `${posted.channel}/${posted.ts}`;
    },
    async update(reference, ticket, change, signal) {
      const [id = '', ts = ''] = reference.split('/');
      const message = ticketMessage(`${ticket.severity}, ${ticket.phase}`, ticket);
      if (!(await api.change({ channel: id, ts, ...message }, signal))) return false;
      // Nobody is told of a change; a reply tells.
      if (isNews(change) || change.contained) {
        const lines = [`${newsOf(ticket, change)}: ${ticket.status}`, ...ticket.done.slice(-1)];
        await api.post({ channel: id, thread_ts: ts, text: escapeSlack(lines.join('\n')) }, signal);
      }
      return true;
    },
    async digest({ title, lines }, signal) {
      await post(messageOf(title, [lines]), signal);
    },
  };
}
