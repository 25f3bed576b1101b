import { ticketShape } from '../../encode/ticket.ts';
import { Hook } from '../../http/hook.ts';
import { tlsShape } from '../../settings/common.ts';
import { secret } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { type Chat, tellChat } from '../../tickets/digest.ts';
import { isNews, newsOf } from '../../tickets/follow.ts';
import { linesCard, ticketCard } from './card.ts';

const shape = {
  /** URL of a workflow that posts the card of a webhook request; who has the URL can post. */
  webhook: secret,
  ...ticketShape,
  ...tlsShape,
};

/** Messages in Microsoft Teams by a workflow. They can't be changed later, so that only news is sent. */
export const teams: SinkKind = defineKind({
  type: 'teams',
  title: 'Microsoft Teams by a workflow: cards when an incident opens, gets worse or closes; or a digest',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'a server of the tests, after the published API',
  open(settings, { name: sink, common }) {
    const { timeout: timeoutMs, insecure } = common;
    const hook = new Hook({ sink, reference: settings.webhook, tls: settings, timeoutMs, insecure });
    const chat: Chat = {
      async open(ticket, change, signal) {
        await hook.post(ticketCard(newsOf(ticket, change), ticket), signal);
        return '';
      },
      async update(_, ticket, change, signal) {
        if (isNews(change)) await hook.post(ticketCard(newsOf(ticket, change), ticket), signal);
        return true;
      },
      digest: ({ title, lines }, signal) => hook.post(linesCard(title, lines), signal),
    };
    return {
      send: (items, context) => tellChat(chat, settings, common, items, context),
      close: () => hook.close(),
    };
  },
});
